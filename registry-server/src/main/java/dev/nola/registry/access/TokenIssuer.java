package dev.nola.registry.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.nola.api.Scope;
import dev.nola.digest.Sha256;
import jakarta.annotation.PreDestroy;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.event.TransactionalEventListener;

/** Issues tokens and identifies their holders. The database has only hashes of the secrets. */
@Component
class TokenIssuer {
  private static final String PREFIX = "nola_"; // lets scanners find secrets that leaked
  private static final int SECRET_BYTES = 32;

  /** How long a revocation made by another replica of the server may go unnoticed. */
  private static final Duration STALE = Duration.ofSeconds(5);

  private static final int CACHED = 10_000;

  private static final String DESCENDANTS =
      """
      with recursive descendant as (
        select id from token where parent_id = ?
        union select t.id from token t join descendant d on t.parent_id = d.id)
      update token set revoked_at = ? where id in (select id from descendant)
        and revoked_at is null returning hash""";

  private final TokenRepository tokens;
  private final JdbcTemplate database;
  private final ApplicationEventPublisher events;
  private final Clock clock;
  private final SecureRandom random = new SecureRandom();
  private final Cache<Sha256, TokenEntity> known =
      Caffeine.newBuilder().maximumSize(CACHED).expireAfterWrite(STALE).build();
  private final Map<UUID, Instant> lastUses = new ConcurrentHashMap<>();

  TokenIssuer(
      TokenRepository tokens,
      JdbcTemplate database,
      ApplicationEventPublisher events,
      Clock clock) {
    this.tokens = tokens;
    this.events = events;
    this.database = database;
    this.clock = clock;
  }

  /** Returns a new secret of 256 random bits. */
  String newSecret() {
    byte[] bytes = new byte[SECRET_BYTES];
    random.nextBytes(bytes);
    return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /**
   * Stores a token.
   *
   * @param secret of the token; only its hash is stored
   * @param grant holder and rights
   * @return the stored token
   */
  @Transactional
  public TokenEntity add(String secret, TokenGrant grant) {
    TokenEntity token = new TokenEntity();
    token.id = UUID.randomUUID();
    token.account = grant.account();
    token.description = grant.description();
    token.hash = hash(secret);
    token.scopes = grant.scopes().stream().map(Scope::name).distinct().toArray(String[]::new);
    token.namespaces =
        grant.namespaces() == null ? null : grant.namespaces().toArray(String[]::new);
    token.createdAt = clock.instant();
    token.expiresAt = grant.expiresAt();
    token.parentId = grant.parentId();
    return tokens.save(token);
  }

  /** Identifies the holder of a secret; empty if it is unknown, expired or revoked. */
  Optional<Caller> recognise(String secret) {
    Sha256 hash = Sha256.ofBytes(hash(secret));
    Optional<TokenEntity> token = Optional.ofNullable(known.getIfPresent(hash));
    if (token.isEmpty()) {
      token = tokens.findByHash(hash.toBytes());
      token.ifPresent(found -> known.put(hash, found));
    }
    return holderOf(token);
  }

  /** Identifies the holder of a token; empty if it is unknown, expired or revoked. */
  Optional<Caller> recognise(UUID id) {
    return holderOf(tokens.findById(id));
  }

  private Optional<Caller> holderOf(Optional<TokenEntity> token) {
    Instant now = clock.instant();
    Optional<TokenEntity> valid = token.filter(found -> found.isValid(now));
    valid.ifPresent(found -> lastUses.put(found.id, now));
    return valid.map(TokenEntity::caller);
  }

  /**
   * Revokes a token immediately, with all that were minted with it, and with those in turn.
   *
   * @param token to revoke
   * @return how many others were revoked with it
   */
  @Transactional
  public int revoke(TokenEntity token) {
    Timestamp now = Timestamp.from(clock.instant());
    List<Sha256> revoked =
        new ArrayList<>(
            revoke(
                "update token set revoked_at = ? where id = ? and revoked_at is null"
                    + " returning hash",
                now,
                token.id));
    int others = -revoked.size();
    List<Sha256> found;
    do {
      // Again until there are none: minting holds its parent's row, so that what it adds while a
      // pass waits for that row is seen by the next.
      found = revoke(DESCENDANTS, token.id, now);
      revoked.addAll(found);
    } while (!found.isEmpty());
    events.publishEvent(new Revoked(revoked));
    return others + revoked.size();
  }

  private List<Sha256> revoke(String sql, Object... parameters) {
    return database.query(sql, (row, _) -> Sha256.ofBytes(row.getBytes("hash")), parameters);
  }

  private record Revoked(List<Sha256> hashes) {}

  /**
   * Drops tokens after their revocation is stored: before that, a request could cache one again.
   */
  @TransactionalEventListener
  void forget(Revoked tokens) {
    known.invalidateAll(tokens.hashes());
  }

  /** Stores when tokens were last used, in batches rather than with every request. */
  @Scheduled(fixedDelayString = "PT10S")
  @PreDestroy
  void writeLastUses() {
    Map<UUID, Instant> batch = Map.copyOf(lastUses);
    if (batch.isEmpty()) {
      return;
    }
    database.batchUpdate(
        "update token set last_used_at = greatest(last_used_at, ?) where id = ?",
        batch.entrySet().stream()
            .map(use -> new Object[] {Timestamp.from(use.getValue()), use.getKey()})
            .toList());
    batch.forEach(lastUses::remove); // unless it was used again since
  }

  /** Returns what the database has of a secret. */
  static byte[] hash(String secret) {
    return Sha256.hash(secret.getBytes(StandardCharsets.UTF_8)).toBytes();
  }
}

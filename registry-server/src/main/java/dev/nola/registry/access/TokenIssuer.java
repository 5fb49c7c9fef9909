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
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
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
   * @param account of the holder
   * @param description of the token
   * @param scopes that it has
   * @param namespaces where it is valid; null for all
   * @param expiresAt when it expires; null for never
   * @return the stored token
   */
  @Transactional
  public TokenEntity add(
      String secret,
      String account,
      String description,
      Collection<Scope> scopes,
      @Nullable List<String> namespaces,
      @Nullable Instant expiresAt) {
    TokenEntity token = new TokenEntity();
    token.id = UUID.randomUUID();
    token.account = account;
    token.description = description;
    token.hash = hash(secret).toBytes();
    token.scopes = scopes.stream().map(Scope::name).distinct().toArray(String[]::new);
    token.namespaces = namespaces == null ? null : namespaces.toArray(String[]::new);
    token.createdAt = clock.instant();
    token.expiresAt = expiresAt;
    return tokens.save(token);
  }

  /** Returns whether a secret is cached, so that identifying its holder needs no database query. */
  boolean isKnown(String secret) {
    return known.getIfPresent(hash(secret)) != null;
  }

  /** Identifies the holder of a secret; empty if it is unknown, expired or revoked. */
  Optional<Caller> recognise(String secret) {
    Sha256 hash = hash(secret);
    TokenEntity token = known.getIfPresent(hash);
    if (token == null) {
      token = tokens.findByHash(hash.toBytes()).orElse(null);
      if (token == null) {
        return Optional.empty();
      }
      known.put(hash, token);
    }
    Instant now = clock.instant();
    if (token.revokedAt != null || (token.expiresAt != null && !now.isBefore(token.expiresAt))) {
      return Optional.empty();
    }
    lastUses.put(token.id, now);
    return Optional.of(token.caller());
  }

  /**
   * Revokes a token immediately.
   *
   * @param token to revoke
   */
  @Transactional
  public void revoke(TokenEntity token) {
    if (token.revokedAt == null) {
      token.revokedAt = clock.instant();
      tokens.save(token);
    }
    events.publishEvent(new Revoked(Sha256.ofBytes(token.hash)));
  }

  private record Revoked(Sha256 hash) {}

  /** Drops a token after its revocation is stored: before that, a request could cache it again. */
  @TransactionalEventListener
  void forget(Revoked token) {
    known.invalidate(token.hash());
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

  private static Sha256 hash(String secret) {
    return Sha256.hash(secret.getBytes(StandardCharsets.UTF_8));
  }
}

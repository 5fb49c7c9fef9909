package dev.nola.registry.keys;

import dev.nola.api.attestation.WorkerKey;
import dev.nola.digest.Sha256;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Reads and writes the table of workers' keys. */
@Component
public class WorkerKeyRepository {
  private final JdbcClient database;
  private final Clock clock;

  WorkerKeyRepository(JdbcClient database, Clock clock) {
    this.database = database;
    this.clock = clock;
  }

  /**
   * Event: a key was revoked, and its attestations no longer count. Sent within the transaction
   * that revokes it.
   *
   * @param fingerprint of the key
   */
  public record Revoked(Sha256 fingerprint) {}

  /**
   * Returns the state of a key of an account.
   *
   * @param fingerprint of the key
   * @param account of the worker
   * @return whether attestations signed with it are accepted now; empty if the account has not
   *     registered it
   */
  public Optional<WorkerKey.State> stateOf(Sha256 fingerprint, String account) {
    return find(fingerprint).filter(key -> key.account().equals(account)).map(WorkerKey::state);
  }

  /**
   * Finds a key.
   *
   * @param fingerprint of the key
   * @return the key, or empty if absent
   */
  public Optional<WorkerKey> find(Sha256 fingerprint) {
    return Optional.ofNullable(find(List.of(fingerprint)).get(fingerprint));
  }

  /**
   * Finds keys.
   *
   * @param fingerprints of the keys
   * @return the keys that exist, by fingerprint
   */
  public Map<Sha256, WorkerKey> find(Collection<Sha256> fingerprints) {
    if (fingerprints.isEmpty()) {
      return Map.of();
    }
    return database
        .sql("select * from worker_key where fingerprint in (:fingerprints)")
        .param("fingerprints", texts(fingerprints))
        .query((row, _) -> key(row))
        .list()
        .stream()
        .collect(Collectors.toMap(WorkerKey::fingerprint, Function.identity()));
  }

  /** Locks a key's row until the transaction ends; everyone who judges by the key waits. */
  Optional<WorkerKey> lock(Sha256 fingerprint) {
    return database
        .sql("select * from worker_key where fingerprint = ? for update")
        .params(fingerprint.toString())
        .query((row, _) -> key(row))
        .optional();
  }

  /**
   * Keeps keys from being revoked until the transaction ends, and returns them as they are.
   *
   * <p>To be called before a decision by a key's state is recorded: a revocation then comes either
   * before, and is seen here, or after, and sees what was recorded.
   *
   * @param fingerprints of the keys
   * @return the keys that exist, by fingerprint
   */
  public Map<Sha256, WorkerKey> hold(Collection<Sha256> fingerprints) {
    if (fingerprints.isEmpty()) {
      return Map.of();
    }
    return database
        .sql(
            "select * from worker_key where fingerprint in (:fingerprints)"
                + " order by id for share")
        .param("fingerprints", texts(fingerprints))
        .query((row, _) -> key(row))
        .list()
        .stream()
        .collect(Collectors.toMap(WorkerKey::fingerprint, Function.identity()));
  }

  /** Adds a key unless it is there; whose it is then is for the caller to see. */
  boolean insertIfAbsent(Sha256 fingerprint, String publicKey, String account, String description) {
    return database
            .sql(
                """
                insert into worker_key (fingerprint, public_key, account, description, registered_at)
                values (?, ?, ?, ?, ?) on conflict (fingerprint) do nothing""")
            .params(
                fingerprint.toString(),
                publicKey,
                account,
                description,
                Timestamp.from(clock.instant()))
            .update()
        == 1;
  }

  void approve(Sha256 fingerprint, String account, @Nullable Instant expiresAt) {
    database
        .sql(
            "update worker_key set approved_by = ?, approved_at = ?, expires_at = ?"
                + " where fingerprint = ?")
        .params(
            account,
            Timestamp.from(clock.instant()),
            expiresAt == null ? null : Timestamp.from(expiresAt),
            fingerprint.toString())
        .update();
  }

  void revoke(Sha256 fingerprint, String reason) {
    database
        .sql("update worker_key set revoked_at = ?, revoke_reason = ? where fingerprint = ?")
        .params(Timestamp.from(clock.instant()), reason, fingerprint.toString())
        .update();
  }

  /** A key and the id of its row. */
  record Row(long id, WorkerKey key) {}

  List<Row> page(long lastId, int limit) {
    return database
        .sql("select * from worker_key where id > ? order by id limit ?")
        .params(lastId, limit)
        .query((row, _) -> new Row(row.getLong("id"), key(row)))
        .list();
  }

  private static List<String> texts(Collection<Sha256> fingerprints) {
    return fingerprints.stream().map(Sha256::toString).toList();
  }

  private WorkerKey key(ResultSet row) throws SQLException {
    Instant approvedAt = instant(row, "approved_at");
    Instant expiresAt = instant(row, "expires_at");
    Instant revokedAt = instant(row, "revoked_at");
    return new WorkerKey(
        Sha256.parse(row.getString("fingerprint")),
        row.getString("public_key"),
        row.getString("account"),
        row.getString("description"),
        state(approvedAt, expiresAt, revokedAt),
        row.getTimestamp("registered_at").toInstant(),
        row.getString("approved_by"),
        approvedAt,
        expiresAt,
        revokedAt,
        row.getString("revoke_reason"));
  }

  private WorkerKey.State state(
      @Nullable Instant approvedAt, @Nullable Instant expiresAt, @Nullable Instant revokedAt) {
    if (revokedAt != null) {
      return WorkerKey.State.REVOKED;
    }
    if (approvedAt == null) {
      return WorkerKey.State.PENDING;
    }
    return expiresAt != null && !clock.instant().isBefore(expiresAt)
        ? WorkerKey.State.EXPIRED
        : WorkerKey.State.APPROVED;
  }

  private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
    Timestamp value = row.getTimestamp(column);
    return value == null ? null : value.toInstant();
  }
}

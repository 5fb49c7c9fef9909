package dev.nola.registry.jobs;

import dev.nola.api.attestation.WorkerKey;
import dev.nola.digest.Sha256;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A worker read from its row: what it offered when it last asked for jobs. It has twelve components
 * because the row has.
 *
 * @param account that it acts for
 * @param name unique among the account's workers
 * @param key fingerprint of its key, or any other text that it sent as one
 * @param backends that it has
 * @param cuda whether it has a GPU
 * @param memoryBytes that a job may use
 * @param models revisions that it holds itself
 * @param namespaces that its token is limited to, or null
 * @param startedAt first request of its current instance
 * @param lastAskedAt last request for jobs
 * @param active whether it is taken to be running
 * @param jobs that it runs now
 */
record KnownWorker(
    String account,
    String name,
    String key,
    List<String> backends,
    boolean cuda,
    long memoryBytes,
    List<String> models,
    @Nullable List<String> namespaces,
    Instant startedAt,
    Instant lastAskedAt,
    boolean active,
    List<RunningJob> jobs) {
  /**
   * A job that a worker runs.
   *
   * @param id of the job
   * @param namespace of the job, whose members may see it
   */
  record RunningJob(UUID id, String namespace) {
    static RunningJob parse(String text) {
      int space = text.indexOf(' ');
      return new RunningJob(UUID.fromString(text.substring(0, space)), text.substring(space + 1));
    }
  }

  /** Returns the fingerprint of its key; empty if it sent another text as its key. */
  Optional<Sha256> fingerprint() {
    try {
      return Optional.of(Sha256.parse(key));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  /**
   * Returns its key, if its account registered it.
   *
   * @param keys registered keys by fingerprint
   * @return the key, or empty if it is absent or another account's
   */
  Optional<WorkerKey> keyOf(Map<Sha256, WorkerKey> keys) {
    return fingerprint().map(keys::get).filter(found -> found.account().equals(account));
  }

  static KnownWorker read(ResultSet row) throws SQLException {
    return new KnownWorker(
        row.getString("account"),
        row.getString("name"),
        row.getString("key"),
        List.of((String[]) row.getArray("backends").getArray()),
        row.getBoolean("cuda"),
        row.getLong("memory_bytes"),
        List.of((String[]) row.getArray("models").getArray()),
        texts(row.getArray("namespaces")),
        row.getTimestamp("started_at").toInstant(),
        row.getTimestamp("last_asked_at").toInstant(),
        row.getBoolean("active"),
        Stream.of((String[]) row.getArray("jobs").getArray()).map(RunningJob::parse).toList());
  }

  private static @Nullable List<String> texts(@Nullable Array array) throws SQLException {
    return array == null ? null : List.of((String[]) array.getArray());
  }
}

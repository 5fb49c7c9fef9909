package dev.nola.api.job;

import dev.nola.api.attestation.WorkerKey;
import dev.nola.digest.Sha256;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A worker and what it offers, as it said when it last asked for jobs. It has twelve components
 * because JSON has them side by side.
 *
 * @param name name of the worker, unique among its account's workers
 * @param account account that it acts for
 * @param active whether it asked for jobs within the last minute and has not said that it ended, or
 *     holds a job now
 * @param startedAt time of the first request of its current start
 * @param lastAskedAt time when it last asked for jobs
 * @param backends backends that it has
 * @param cuda whether it has a GPU
 * @param memoryBytes memory that a job may use, in bytes
 * @param models revisions of models that it holds itself, without those that the caller may not see
 * @param key fingerprint of the key that it signs attestations with; empty if it has none
 * @param keyState state of that key, or null if it is not registered
 * @param jobs ids of the jobs that it runs now, without those that the caller may not see
 */
public record WorkerDetails(
    String name,
    String account,
    boolean active,
    Instant startedAt,
    Instant lastAskedAt,
    List<String> backends,
    boolean cuda,
    long memoryBytes,
    List<HeldModel> models,
    String key,
    WorkerKey.@Nullable State keyState,
    List<UUID> jobs) {
  /** Copies the lists. */
  public WorkerDetails {
    backends = List.copyOf(backends);
    models = List.copyOf(models);
    jobs = List.copyOf(jobs);
  }

  /**
   * A revision of a model that a worker holds.
   *
   * @param name {@code namespace/name} under which it is registered, or null if it is not
   * @param revision digest of the model's manifest
   */
  public record HeldModel(@Nullable String name, Sha256 revision) {}
}

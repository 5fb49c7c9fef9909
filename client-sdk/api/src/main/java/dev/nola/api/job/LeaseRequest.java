package dev.nola.api.job;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A request for jobs by a worker, with its abilities. It has ten components because JSON has them
 * side by side.
 *
 * @param worker name of the worker, unique among its account's workers
 * @param instance text that two workers at once never share, and that a worker keeps when it is
 *     started again: while one runs, a request with its name and another instance is refused; null
 *     for no such check
 * @param key fingerprint of the key that it signs attestations with; only a worker whose key is
 *     approved is given verifications
 * @param types types of jobs that it takes
 * @param backends backends that it has
 * @param cuda whether it has a GPU
 * @param memoryBytes memory that a job may use, in bytes
 * @param models {@code sha256:…} of the revisions of models that it holds itself
 * @param max number of jobs to get, 1 to 100
 * @param waitSeconds time to wait for a job, 0 to 30 seconds
 */
public record LeaseRequest(
    String worker,
    @Nullable String instance,
    String key,
    List<JobType> types,
    List<String> backends,
    boolean cuda,
    long memoryBytes,
    List<String> models,
    int max,
    int waitSeconds) {
  /** Copies the lists. */
  public LeaseRequest {
    Objects.requireNonNull(worker, "worker is missing");
    Objects.requireNonNull(key, "key is missing");
    types = List.copyOf(Objects.requireNonNull(types, "types is missing"));
    backends = List.copyOf(Objects.requireNonNull(backends, "backends is missing"));
    models = List.copyOf(Objects.requireNonNull(models, "models is missing"));
  }
}

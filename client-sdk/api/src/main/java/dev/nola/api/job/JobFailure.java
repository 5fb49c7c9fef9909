package dev.nola.api.job;

import java.util.Objects;

/**
 * A job that a worker could not do, or stopped because it was told to.
 *
 * @param reason in one or a few lines, for whoever asked for the job
 * @param retryable whether another try, perhaps by another worker, may succeed
 */
public record JobFailure(long fence, String reason, boolean retryable) {
  /** Insists on a reason. */
  public JobFailure {
    Objects.requireNonNull(reason, "reason is missing");
  }
}

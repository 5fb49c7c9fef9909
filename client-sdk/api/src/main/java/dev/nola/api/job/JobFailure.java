package dev.nola.api.job;

import java.util.Objects;

/**
 * A report that a worker could not run a job, or stopped on request.
 *
 * @param fence fencing number of the lease
 * @param reason one or a few lines, for the account that submitted the job
 * @param retryable whether another try, perhaps by another worker, may succeed
 */
public record JobFailure(long fence, String reason, boolean retryable) {
  /**
   * Checks that there is a reason.
   *
   * @throws NullPointerException if it is missing
   */
  public JobFailure {
    Objects.requireNonNull(reason, "reason is missing");
  }
}

package dev.nola.trainer.worker;

/** Thrown when a job cannot be done, or not by this worker. */
final class JobException extends Exception {
  private final boolean retryable;

  /**
   * Creates the exception.
   *
   * @param reason a sentence for whoever asked for the job
   * @param retryable whether another try, perhaps by another worker, may succeed
   */
  JobException(String reason, boolean retryable) {
    super(reason);
    this.retryable = retryable;
  }

  boolean isRetryable() {
    return retryable;
  }
}

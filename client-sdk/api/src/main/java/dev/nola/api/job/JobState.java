package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonProperty;

/** A state of a job. The last three are final; only a retry leaves them. */
public enum JobState {
  /** Waits for a worker, perhaps again, after one that failed or was lost. */
  @JsonProperty("queued")
  QUEUED,
  /** Leased to a worker. */
  @JsonProperty("running")
  RUNNING,
  @JsonProperty("succeeded")
  SUCCEEDED,
  /** Failed permanently; see the reason. */
  @JsonProperty("failed")
  FAILED,
  @JsonProperty("cancelled")
  CANCELLED;

  /**
   * Returns whether nothing more happens without a retry.
   *
   * @return whether this is an end
   */
  public boolean isEnd() {
    return this == SUCCEEDED || this == FAILED || this == CANCELLED;
  }
}

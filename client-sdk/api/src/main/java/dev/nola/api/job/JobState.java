package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonProperty;

/** A state of a job. The last three are ends; only a retry leads on from them. */
public enum JobState {
  /** Waits for a worker, perhaps again, after one that failed or was lost. */
  @JsonProperty("queued")
  QUEUED,
  /** A worker has it. */
  @JsonProperty("running")
  RUNNING,
  @JsonProperty("succeeded")
  SUCCEEDED,
  /** For good: see the reason. */
  @JsonProperty("failed")
  FAILED,
  @JsonProperty("cancelled")
  CANCELLED;

  /**
   * Tells whether nothing more happens without a retry.
   *
   * @return whether this is an end
   */
  public boolean isEnd() {
    return this == SUCCEEDED || this == FAILED || this == CANCELLED;
  }
}

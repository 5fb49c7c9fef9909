package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How far a job has come. The last three are ends; only a retry leads on from them. */
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

  /** Whether nothing more happens by itself. */
  public boolean isEnd() {
    return this == SUCCEEDED || this == FAILED || this == CANCELLED;
  }
}

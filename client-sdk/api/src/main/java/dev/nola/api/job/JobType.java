package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonProperty;

/** A type of job. */
public enum JobType {
  /** Train an adapter, and publish it. */
  @JsonProperty("train")
  TRAIN,
  /** Reconstruct a version on one backend, and attest the result. */
  @JsonProperty("verify")
  VERIFY,
  /** Turn a version into a PEFT adapter. */
  @JsonProperty("export")
  EXPORT
}

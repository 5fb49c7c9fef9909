package dev.nola.api.attestation;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What came of a reconstruction. */
public enum Outcome {
  /** It has the digest that the file names. */
  @JsonProperty("match")
  MATCH,
  /** It has not. */
  @JsonProperty("mismatch")
  MISMATCH
}

package dev.nola.api.attestation;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The outcome of a reconstruction. */
public enum Outcome {
  /** It has the digest that the file names. */
  @JsonProperty("match")
  MATCH,
  /** It differs from the digest in the file. */
  @JsonProperty("mismatch")
  MISMATCH
}

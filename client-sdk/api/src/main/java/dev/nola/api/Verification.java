package dev.nola.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The state of a version's verification. */
public enum Verification {
  /** Too large for the registry to reconstruct, and not yet attested by a worker. */
  @JsonProperty("unverified")
  UNVERIFIED,
  /** The registry itself computed the digest in the file; no independent machine has yet. */
  @JsonProperty("self-verified")
  SELF_VERIFIED,
  /** At least one worker whose key is approved signed that it got the same bits. */
  @JsonProperty("verified")
  VERIFIED,
  /**
   * The registry could not reconstruct it, and independent workers got the same other bits; {@code
   * latest} and ranges skip it.
   */
  @JsonProperty("mismatched")
  MISMATCHED
}

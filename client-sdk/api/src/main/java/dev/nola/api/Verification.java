package dev.nola.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The state of a version's verification. */
public enum Verification {
  /**
   * Not yet: it is more than the registry reconstructs by itself, and no worker has attested it.
   */
  @JsonProperty("unverified")
  UNVERIFIED,
  /** The registry itself got the digest that the file names; no independent machine has yet. */
  @JsonProperty("self-verified")
  SELF_VERIFIED,
  /** At least one worker whose key is approved got the same bits, and signed that. */
  @JsonProperty("verified")
  VERIFIED,
  /** A worker whose key is approved got different bits; {@code latest} and ranges skip it. */
  @JsonProperty("mismatched")
  MISMATCHED
}

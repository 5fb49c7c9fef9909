package dev.nola.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Whether a version was reconstructed, and what came of it. */
public enum Verification {
  /** Not yet: it is more than the registry reconstructs while it is published. */
  @JsonProperty("unverified")
  UNVERIFIED,
  /** It reconstructs to the digest that it names. */
  @JsonProperty("verified")
  VERIFIED,
  /** It does not; {@code latest} and ranges pass it over. */
  @JsonProperty("mismatched")
  MISMATCHED
}

package dev.nola.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** A permission that a token gives its account. */
public enum Scope {
  /** Read what the account may see. */
  @JsonProperty("read")
  READ,
  /** Read, create namespaces, and act in those where the account is a member. */
  @JsonProperty("publish")
  PUBLISH,
  /** Read everything and report verifications. */
  @JsonProperty("worker")
  WORKER,
  /** Create tokens for the account, with at most the permissions of the one in use. */
  @JsonProperty("mint")
  MINT,
  /** Everything: in the token's namespaces, or everywhere if it is not limited to any. */
  @JsonProperty("admin")
  ADMIN
}

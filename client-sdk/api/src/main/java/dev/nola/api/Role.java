package dev.nola.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** A role of an account in a namespace. */
public enum Role {
  /** Publishes, moves aliases, yanks. */
  @JsonProperty("member")
  MEMBER,
  /** A member that also manages members and visibility. */
  @JsonProperty("owner")
  OWNER
}

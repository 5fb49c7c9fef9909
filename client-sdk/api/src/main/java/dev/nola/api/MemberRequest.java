package dev.nola.api;

import java.util.Objects;

/** The role that an account should have. */
public record MemberRequest(Role role) {
  /** Refuses a body without it. */
  public MemberRequest {
    Objects.requireNonNull(role, "role is missing");
  }
}

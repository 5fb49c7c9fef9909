package dev.nola.api;

import java.util.Objects;

/**
 * A request to give an account a role.
 *
 * @param role role that the account should have
 */
public record MemberRequest(Role role) {
  /**
   * Checks that it is there.
   *
   * @throws NullPointerException if it is missing
   */
  public MemberRequest {
    Objects.requireNonNull(role, "role is missing");
  }
}

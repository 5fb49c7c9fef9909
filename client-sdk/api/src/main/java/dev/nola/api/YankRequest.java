package dev.nola.api;

import java.util.Objects;

/**
 * A request to withdraw a version from new use.
 *
 * @param reason why, for anyone still using the version
 */
public record YankRequest(String reason) {
  /**
   * Checks that it is there.
   *
   * @throws NullPointerException if it is missing
   */
  public YankRequest {
    Objects.requireNonNull(reason, "reason is missing");
  }
}

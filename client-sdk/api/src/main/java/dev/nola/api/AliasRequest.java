package dev.nola.api;

import java.util.Objects;

/**
 * A request to point an alias at a version.
 *
 * @param version exact number of the version
 */
public record AliasRequest(String version) {
  /**
   * Checks that it is there.
   *
   * @throws NullPointerException if it is missing
   */
  public AliasRequest {
    Objects.requireNonNull(version, "version is missing");
  }
}

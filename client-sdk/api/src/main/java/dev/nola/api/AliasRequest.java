package dev.nola.api;

import java.util.Objects;

/** The version, by exact number, that an alias should point to. */
public record AliasRequest(String version) {
  /** Refuses a body without it. */
  public AliasRequest {
    Objects.requireNonNull(version, "version is missing");
  }
}

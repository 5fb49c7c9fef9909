package dev.nola.api;

import java.util.Objects;

/** Why a version is withdrawn from new use. */
public record YankRequest(String reason) {
  /** Refuses a body without it. */
  public YankRequest {
    Objects.requireNonNull(reason, "reason is missing");
  }
}

package dev.nola.client.oci;

import java.io.IOException;

/** Thrown if an artifact in a container registry is not one adapter. */
public final class NotAnAdapterException extends IOException {
  /**
   * Creates an exception.
   *
   * @param message names the artifact, its content and the rule
   */
  NotAnAdapterException(String message) {
    super(message);
  }
}

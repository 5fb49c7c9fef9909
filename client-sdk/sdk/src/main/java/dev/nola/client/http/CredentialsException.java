package dev.nola.client.http;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Thrown if the user's login cannot be read; requests that need it are not retried. */
public final class CredentialsException extends IOException {
  /**
   * Creates an exception.
   *
   * @param message what cannot be read, without its secrets, and the rule or remedy
   * @param cause the failure, whose message has no secrets either; null for none
   */
  public CredentialsException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}

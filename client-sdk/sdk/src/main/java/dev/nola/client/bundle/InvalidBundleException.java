package dev.nola.client.bundle;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Thrown if a file is not a valid bundle; the message names the file, the entry and the rule. */
public final class InvalidBundleException extends IOException {
  InvalidBundleException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}

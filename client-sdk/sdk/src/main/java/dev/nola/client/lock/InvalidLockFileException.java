package dev.nola.client.lock;

import java.io.IOException;

/** Thrown if a file is not a valid lock file; the message names the file and the rule. */
public final class InvalidLockFileException extends IOException {
  InvalidLockFileException(String message) {
    super(message);
  }

  InvalidLockFileException(String message, Throwable cause) {
    super(message, cause);
  }
}

package dev.nola.client.safetensors;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A file or folder that is no model by the rules of safetensors; the message names file and rule.
 */
public final class InvalidModelException extends IOException {
  InvalidModelException(Path file, String rule) {
    super(file + ": " + rule);
  }

  InvalidModelException(Path file, String rule, Throwable cause) {
    super(file + ": " + rule, cause);
  }
}

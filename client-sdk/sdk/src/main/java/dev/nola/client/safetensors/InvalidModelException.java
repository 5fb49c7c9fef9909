package dev.nola.client.safetensors;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A file or folder that is no model by the rules of safetensors; the message names file and rule.
 */
public final class InvalidModelException extends IOException {
  /** Names and shapes in a hostile file can have millions of characters. */
  private static final int MAX_RULE = 1_000;

  InvalidModelException(Path file, String rule) {
    super(file + ": " + cut(rule));
  }

  InvalidModelException(Path file, String rule, Throwable cause) {
    super(file + ": " + cut(rule), cause);
  }

  private static String cut(String rule) {
    return rule.length() <= MAX_RULE ? rule : rule.substring(0, MAX_RULE) + "…";
  }
}

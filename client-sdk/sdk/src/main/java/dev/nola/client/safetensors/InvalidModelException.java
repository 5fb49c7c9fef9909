package dev.nola.client.safetensors;

import java.io.IOException;
import java.nio.file.Path;

/** A file or folder that breaks a rule of its format of models; the message names file and rule. */
public final class InvalidModelException extends IOException {
  /** Names and shapes in a hostile file can have millions of characters. */
  private static final int MAX_RULE = 1_000;

  /**
   * Creates an exception.
   *
   * @param file the file or folder
   * @param rule a predicate: what is wrong with it, and the rule or remedy
   */
  public InvalidModelException(Path file, String rule) {
    super(file + ": " + cut(rule));
  }

  /**
   * Creates an exception.
   *
   * @param file the file or folder
   * @param rule a predicate: what is wrong with it, and the rule or remedy
   * @param cause what was thrown first
   */
  public InvalidModelException(Path file, String rule, Throwable cause) {
    super(file + ": " + cut(rule), cause);
  }

  private static String cut(String rule) {
    return rule.length() <= MAX_RULE ? rule : rule.substring(0, MAX_RULE) + "…";
  }
}

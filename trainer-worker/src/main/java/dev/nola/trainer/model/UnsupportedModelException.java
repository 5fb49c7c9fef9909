package dev.nola.trainer.model;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A base model whose architecture or configuration cannot be run here. */
public final class UnsupportedModelException extends IOException {
  /**
   * Creates a refusal.
   *
   * @param message names the file, the value and the rule
   */
  public UnsupportedModelException(String message) {
    this(message, null);
  }

  /**
   * Creates a refusal.
   *
   * @param message names the file, the value and the rule
   * @param cause what the reader of the configuration threw, if anything
   */
  public UnsupportedModelException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}

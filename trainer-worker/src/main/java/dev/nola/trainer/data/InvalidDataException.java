package dev.nola.trainer.data;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A file of data, or a tokenizer, that is damaged or not of the format that is needed. */
public final class InvalidDataException extends IOException {
  /**
   * Creates a refusal.
   *
   * @param message names the file, the place in it, and the rule
   */
  public InvalidDataException(String message) {
    this(message, null);
  }

  /**
   * Creates a refusal.
   *
   * @param message names the file, the place in it, and the rule
   * @param cause what the reader of the format threw, if anything
   */
  public InvalidDataException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}

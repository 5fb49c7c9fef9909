package dev.nola.trainer.method;

import java.io.IOException;

/** Thrown if an adapter's tensors or labels do not match its base model or classifier. */
public final class MismatchedAdapterException extends IOException {
  /**
   * Creates an exception.
   *
   * @param message what differs
   */
  public MismatchedAdapterException(String message) {
    super(message);
  }
}

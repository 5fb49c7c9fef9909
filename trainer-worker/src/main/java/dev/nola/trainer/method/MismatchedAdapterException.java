package dev.nola.trainer.method;

import java.io.IOException;

/** Thrown if an adapter's tensors are not those of the base model. */
public final class MismatchedAdapterException extends IOException {
  MismatchedAdapterException(String message) {
    super(message);
  }
}

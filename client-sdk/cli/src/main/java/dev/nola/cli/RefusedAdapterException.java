package dev.nola.cli;

import dev.nola.format.AdapterException;
import java.io.IOException;

/** An adapter that is refused, by the name that the user gave it. */
final class RefusedAdapterException extends IOException {
  private final AdapterException reason;

  RefusedAdapterException(String name, AdapterException reason) {
    super(name + ": " + reason.getMessage(), reason);
    this.reason = reason;
  }

  AdapterException reason() {
    return reason;
  }
}

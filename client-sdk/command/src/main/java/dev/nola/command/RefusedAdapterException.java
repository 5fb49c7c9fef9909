package dev.nola.command;

import dev.nola.format.AdapterException;
import java.io.IOException;

/** An adapter that is refused, by the name that the user gave it. */
public final class RefusedAdapterException extends IOException {
  private final AdapterException reason;

  /**
   * Creates an exception.
   *
   * @param name the adapter's name
   * @param reason why it is refused
   */
  public RefusedAdapterException(String name, AdapterException reason) {
    super(name + ": " + reason.getMessage(), reason);
    this.reason = reason;
  }

  /**
   * Returns why the adapter is refused.
   *
   * @return the refusal, whose message does not name the adapter
   */
  public AdapterException reason() {
    return reason;
  }
}

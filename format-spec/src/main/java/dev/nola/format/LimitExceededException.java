package dev.nola.format;

/** Thrown if a file exceeds a limit of the format, or a reconstruction its budget. */
public final class LimitExceededException extends AdapterException {
  /**
   * Creates the exception.
   *
   * @param message the value, its limit and where the limit comes from
   */
  public LimitExceededException(String message) {
    super(message);
  }
}

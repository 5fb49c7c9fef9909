package dev.nola.format;

/** The file asks for more than the format allows, or reconstruction for more than its budget. */
public final class LimitExceededException extends AdapterException {
  /**
   * @param message the value, its limit and where the limit comes from
   */
  public LimitExceededException(String message) {
    super(message);
  }
}

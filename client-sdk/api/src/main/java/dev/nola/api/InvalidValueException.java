package dev.nola.api;

/** A value that breaks a rule of its record. The message names the value and the rule. */
public final class InvalidValueException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  private final String field;

  /**
   * Makes an exception.
   *
   * @param field name of the value in JSON, within its record
   * @param message the value and the rule
   */
  public InvalidValueException(String field, String message) {
    super(message);
    this.field = field;
  }

  /**
   * Returns the field with the value.
   *
   * @return its name in JSON, within its record
   */
  public String field() {
    return field;
  }
}

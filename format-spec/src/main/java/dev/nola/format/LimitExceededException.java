package dev.nola.format;

/** Thrown if a file exceeds a limit of the format, or a reconstruction its budget. */
public final class LimitExceededException extends AdapterException {
  private final Limit limit;
  private final long required;

  /** The limit that is exceeded. */
  public enum Limit {
    /**
     * A limit of the format or of this implementation (SPEC.md section 10): no setting raises it.
     */
    FORMAT,
    /** The memory of a reconstruction's budget, in bytes. */
    MEMORY,
    /** The additions of a reconstruction's budget. */
    ADDITIONS
  }

  /**
   * Creates the exception for a limit of the format.
   *
   * @param message the value, its limit and where the limit comes from
   */
  public LimitExceededException(String message) {
    this(Limit.FORMAT, 0, message);
  }

  /**
   * Creates the exception for a limit that a setting raises.
   *
   * @param limit the limit
   * @param required the limit that would suffice, in the limit's unit
   * @param message the value, its limit and where the limit comes from
   */
  public LimitExceededException(Limit limit, long required, String message) {
    super(message);
    this.limit = limit;
    this.required = required;
  }

  /**
   * Returns the limit that is exceeded.
   *
   * @return the limit
   */
  public Limit limit() {
    return limit;
  }

  /**
   * Returns the value of the limit that would suffice.
   *
   * @return bytes or additions; 0 for a limit of the format
   */
  public long required() {
    return required;
  }
}

package dev.nola.client;

import java.util.List;

/**
 * Thrown if what an operation was given does not allow it; nothing was written. The subclass says
 * which operation, and its reason why.
 */
public abstract class RefusedException extends Exception {
  private final List<String> details;

  /**
   * Creates an exception whose message lists the details, one a line.
   *
   * @param message the problem
   * @param details each problem, if there may be several; may be empty
   */
  protected RefusedException(String message, List<String> details) {
    super(details.isEmpty() ? message : message + ":\n  " + String.join("\n  ", details));
    this.details = List.copyOf(details);
  }

  /**
   * Returns the kind of reason.
   *
   * @return the reason
   */
  public abstract Enum<?> reason();

  /**
   * Returns each problem, if there may be several.
   *
   * @return the problems; may be empty
   */
  public List<String> details() {
    return details;
  }
}

package dev.nola.registry.data;

import org.jspecify.annotations.Nullable;

/** Thrown if the server cannot start; says why, and what its operator can do. */
public final class StartFailure extends RuntimeException {
  private final String advice;

  /**
   * Creates a failure.
   *
   * @param reason a sentence without its stop
   * @param advice what to do, as sentences
   * @param cause what failed, if the reason is not all there is to know
   */
  public StartFailure(String reason, String advice, @Nullable Throwable cause) {
    super(reason, cause);
    this.advice = advice;
  }

  /**
   * Returns what the operator can do.
   *
   * @return one or more sentences
   */
  public String advice() {
    return advice;
  }
}

package dev.nola.cli;

/** A failure, and what to do about it with this command line. */
final class HintedException extends Exception {
  private final Exception failure;
  private final String hint;

  /**
   * @param hint the text to put after the failure's sentence; empty for none
   */
  HintedException(Exception failure, String hint) {
    super(failure.getMessage() + hint, failure);
    this.failure = failure;
    this.hint = hint;
  }

  Exception failure() {
    return failure;
  }

  String hint() {
    return hint;
  }
}

package dev.nola.command;

/**
 * How a command failed.
 *
 * @param exitCode the process's exit code, one of {@link ExitCode}
 * @param kind a word for programs, such as {@code digest-mismatch}
 * @param reason a sentence for people, with the value and the remedy
 */
public record Failure(int exitCode, String kind, String reason) {
  /**
   * Adds advice to the reason.
   *
   * @param hint appended to the reason as it is; empty for nothing
   * @return the same failure with a longer reason
   */
  public Failure with(String hint) {
    return new Failure(exitCode, kind, reason + hint);
  }
}

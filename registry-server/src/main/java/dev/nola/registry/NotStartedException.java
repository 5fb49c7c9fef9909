package dev.nola.registry;

/** Thrown if a server, or a command on its blobs, cannot start with its settings. */
final class NotStartedException extends RuntimeException {
  /**
   * Creates a failure.
   *
   * @param problem what cannot be done
   * @param cause as Spring reports it, which has logged the details
   */
  NotStartedException(String problem, RuntimeException cause) {
    super(problem + ": " + StartFailureReason.of(cause), cause);
  }
}

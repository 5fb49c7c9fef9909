package dev.nola.format;

/**
 * Thrown if a value exceeds a limit of the format. To callers that build an adapter it is an {@link
 * IllegalArgumentException}; the reader turns it into a {@link LimitExceededException}.
 */
final class LimitExcess extends IllegalArgumentException {
  LimitExcess(String message) {
    super(message);
  }
}

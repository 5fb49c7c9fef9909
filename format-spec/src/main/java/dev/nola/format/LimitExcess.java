package dev.nola.format;

/**
 * A value beyond a limit of the format. Whoever builds an adapter sees an {@link
 * IllegalArgumentException}; the reader turns it into the {@link LimitExceededException} that its
 * callers handle.
 */
final class LimitExcess extends IllegalArgumentException {
  LimitExcess(String message) {
    super(message);
  }
}

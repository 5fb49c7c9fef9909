package dev.nola.format;

/** Thrown if a file has a format version that is no longer read. */
public final class AdapterTooOldException extends AdapterException {
  AdapterTooOldException(String message) {
    super(message);
  }
}

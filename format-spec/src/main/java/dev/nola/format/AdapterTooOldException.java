package dev.nola.format;

/** The file is of a format version that is no longer read. */
public final class AdapterTooOldException extends AdapterException {
  AdapterTooOldException(String message) {
    super(message);
  }
}

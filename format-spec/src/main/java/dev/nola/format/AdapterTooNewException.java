package dev.nola.format;

/** Thrown if a file needs a reader of a later format version. */
public final class AdapterTooNewException extends AdapterException {
  AdapterTooNewException(String message) {
    super(message);
  }
}

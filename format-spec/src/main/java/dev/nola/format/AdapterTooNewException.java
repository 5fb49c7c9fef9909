package dev.nola.format;

/** The file needs a reader of a later format version. */
public final class AdapterTooNewException extends AdapterException {
  AdapterTooNewException(String message) {
    super(message);
  }
}

package dev.nola.format;

/**
 * The bytes are no adapter file: damaged, cut, lengthened, or never written by the rules of
 * SPEC.md.
 */
public final class CorruptAdapterException extends AdapterException {
  CorruptAdapterException(String message) {
    super(message);
  }

  CorruptAdapterException(String message, Throwable cause) {
    super(message, cause);
  }
}

package dev.nola.format;

/** Thrown if a file names a generator that this reader does not know. */
public final class UnsupportedGeneratorException extends AdapterException {
  UnsupportedGeneratorException(String message) {
    super(message);
  }
}

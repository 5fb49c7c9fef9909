package dev.nola.format;

/** The file names a generator that this reader does not know. */
public final class UnsupportedGeneratorException extends AdapterException {
  UnsupportedGeneratorException(String message) {
    super(message);
  }
}

package dev.nola.format;

/**
 * Thrown if bytes are not an adapter file: damaged, truncated, lengthened, or not written by the
 * rules of SPEC.md.
 */
public final class CorruptAdapterException extends AdapterException {
  CorruptAdapterException(String message) {
    super(message);
  }
}

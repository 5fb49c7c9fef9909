package dev.nola.format;

import java.io.IOException;

/**
 * Thrown if an adapter file is refused. The hierarchy is sealed: a caller that handles every
 * subtype handles every file, however hostile. Messages state what was expected and what was found.
 */
public abstract sealed class AdapterException extends IOException
    permits AdapterTooNewException,
        AdapterTooOldException,
        CorruptAdapterException,
        DigestMismatchException,
        LimitExceededException,
        UnsupportedGeneratorException {
  AdapterException(String message) {
    super(message);
  }
}

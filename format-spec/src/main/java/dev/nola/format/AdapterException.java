package dev.nola.format;

import java.io.IOException;

/**
 * Why an adapter file was refused. The subtypes are all there are: a caller that handles each
 * handles every file, however hostile. Messages state what was expected and what was found.
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

  AdapterException(String message, Throwable cause) {
    super(message, cause);
  }
}

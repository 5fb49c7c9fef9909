package dev.nola.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** An attestation that is invalid, or about another file than the adapter. */
final class RefusedAttestationException extends IOException {
  RefusedAttestationException(Path file, String reason, @Nullable Exception cause) {
    super("invalid attestation: %s; %s".formatted(file, reason), cause);
  }
}

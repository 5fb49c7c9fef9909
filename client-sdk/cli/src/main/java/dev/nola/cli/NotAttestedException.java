package dev.nola.cli;

import java.io.IOException;
import java.util.List;

/** An adapter that is not attested as it should be. */
final class NotAttestedException extends IOException {
  NotAttestedException(String name, List<String> failures) {
    super(
        failures.size() == 1
            ? name + ": " + failures.getFirst()
            : name + " is not attested as required:\n  " + String.join("\n  ", failures));
  }
}

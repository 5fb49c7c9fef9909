package dev.nola.registry.signing;

import dev.nola.registry.data.DataDirectory;
import dev.nola.registry.data.StartFailure;
import java.io.IOException;
import java.nio.file.Path;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.stereotype.Component;

/** The registry's key: that of the settings, or one in a file of the data directory. */
@Component
@EnableConfigurationProperties(SigningSettings.class)
class RegistryKey {
  /** Name of the file. */
  static final String FILE = "signing-key";

  private final EcKey key;

  /**
   * Reads the key; the first start makes it.
   *
   * @throws StartFailure if it is not a P-256 key
   */
  RegistryKey(SigningSettings settings, DataDirectory data) {
    EcKey configured = settings.key();
    key = configured == null ? stored(data) : configured;
  }

  private static EcKey stored(DataDirectory data) {
    Path file = data.resolve(FILE);
    try {
      return parse(file, data.secret(FILE, () -> EcKey.generate().toPem()));
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  /**
   * Parses the content of the file.
   *
   * @throws StartFailure if it is not a P-256 key
   */
  static EcKey parse(Path file, String content) {
    try {
      return EcKey.parse(content);
    } catch (IllegalArgumentException e) {
      throw new StartFailure(
          file + ": " + e.getMessage(),
          "Restore the file from a backup, or delete it: the server then makes another key, which"
              + " clients do not know.",
          null);
    }
  }

  static StartFailure unreadable(Path file, IOException failure) {
    return new StartFailure(
        "signing key cannot be read: " + file + ": " + DataDirectory.reason(failure),
        "Let the server's user read it, and no one else.",
        failure);
  }

  EcKey get() {
    return key;
  }
}

package dev.nola.registry.signing;

import dev.nola.registry.data.DataDirectory;
import dev.nola.registry.data.StartFailure;
import java.io.IOException;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.stereotype.Component;

/** The registry's key: that of the settings, or one in a file of the data directory. */
@Component
@EnableConfigurationProperties(SigningSettings.class)
class RegistryKey {
  private static final String FILE = "signing-key";

  private final EcKey key;

  /**
   * Reads the key; the first start makes it.
   *
   * @throws StartFailure if it is not a P-256 key
   */
  RegistryKey(SigningSettings settings, DataDirectory data) throws IOException {
    String configured = settings.key();
    try {
      key =
          EcKey.parse(
              configured == null ? data.secret(FILE, () -> EcKey.generate().toPem()) : configured);
    } catch (IllegalArgumentException e) {
      throw new StartFailure(
          (configured == null ? data.resolve(FILE) : "nola.signing.key") + ": " + e.getMessage(),
          "Restore the key that clients know, or give another with nola.signing.key.",
          null);
    }
  }

  EcKey get() {
    return key;
  }
}

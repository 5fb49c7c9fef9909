package dev.nola.registry.signing;

import dev.nola.registry.data.StartFailure;
import java.io.IOException;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** The registry's key: that of the settings, or one that all servers find in the database. */
@Component
@EnableConfigurationProperties(SigningSettings.class)
class RegistryKey {
  private final EcKey key;

  /**
   * Reads the key; the first server makes it.
   *
   * @throws StartFailure if it is not a P-256 key
   */
  RegistryKey(SigningSettings settings, JdbcClient database) throws IOException {
    String configured = settings.key();
    try {
      key = EcKey.parse(configured == null ? stored(database) : configured);
    } catch (IllegalArgumentException e) {
      throw new StartFailure(
          (configured == null ? "table signing_key: " : "nola.signing.key: ") + e.getMessage(),
          "Restore the key that clients know, or give another with nola.signing.key.",
          null);
    }
  }

  private static String stored(JdbcClient database) throws IOException {
    database
        .sql("insert into signing_key (pem) values (?) on conflict do nothing")
        .params(EcKey.generate().toPem())
        .update();
    return database.sql("select pem from signing_key").query(String.class).single();
  }

  EcKey get() {
    return key;
  }
}

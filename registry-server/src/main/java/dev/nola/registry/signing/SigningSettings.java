package dev.nola.registry.signing;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;

/** Settings of signatures. */
@ConfigurationProperties("nola.signing")
final class SigningSettings {
  private final @Nullable EcKey key;

  /**
   * Reads the settings.
   *
   * @param key private key, P-256 in PKCS #8 as PEM; without it the first start makes one, in the
   *     file {@code signing-key} of the data directory
   */
  SigningSettings(@Nullable String key) {
    this.key = key == null || key.isBlank() ? null : parse(key);
  }

  private static EcKey parse(String pem) {
    try {
      return EcKey.parse(pem);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("nola.signing.key: " + e.getMessage());
    }
  }

  /** Returns the key that was given; null if none was. */
  @Nullable EcKey key() {
    return key;
  }
}

package dev.nola.registry.signing;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * Settings of signatures.
 *
 * @param key private key, P-256 in PKCS #8 as PEM; without it the first start makes one, in the
 *     file {@code signing-key} of the data directory
 */
@ConfigurationProperties("nola.signing")
record SigningSettings(@Nullable String key) {
  SigningSettings {
    if (key != null && key.isBlank()) {
      key = null;
    }
  }

  @Override
  public String toString() {
    return "SigningSettings[key=" + (key == null ? "none" : "given") + "]";
  }
}

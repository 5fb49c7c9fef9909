package dev.nola.registry.hub;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * Limits on the commits of the Hub's clients.
 *
 * @param maxCommitSize of the body of one; base64 takes 4 bytes for 3 of a file
 * @param uploadTimeout from the body's first byte to its last
 */
@ConfigurationProperties("nola.hub")
record HubSettings(
    @DefaultValue("256MB") DataSize maxCommitSize, @DefaultValue("5m") Duration uploadTimeout) {
  HubSettings {
    if (maxCommitSize.toBytes() < 1) {
      throw new IllegalArgumentException(
          "invalid nola.hub.max-commit-size: " + maxCommitSize + "; must be positive");
    }
    if (!uploadTimeout.isPositive()) {
      throw new IllegalArgumentException(
          "invalid nola.hub.upload-timeout: " + uploadTimeout + "; must be positive");
    }
  }
}

package dev.nola.registry.web;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How the server ends.
 *
 * @param time for which it serves all requests after SIGTERM without being ready
 */
@ConfigurationProperties("nola.drain")
record DrainSettings(@DefaultValue("0s") Duration time) {
  /** Spring stops waiting after 30 seconds. */
  private static final Duration MAX = Duration.ofSeconds(25);

  DrainSettings {
    if (time.isNegative() || time.compareTo(MAX) > 0) {
      throw new IllegalArgumentException(
          "invalid nola.drain.time: %ds; must be 0s to %ds"
              .formatted(time.toSeconds(), MAX.toSeconds()));
    }
  }
}

package dev.nola.registry.verification;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What the server reconstructs while an adapter is published; what is more than this waits for a
 * worker.
 *
 * @param additions of basis elements; a core does about 10⁹ in a second
 * @param factorElements of the largest factor, each of which takes 12 bytes of memory
 * @param parallel publishes that are read and reconstructed at the same time
 */
@ConfigurationProperties("nola.verification")
record VerificationSettings(
    @DefaultValue("10000000000") long additions,
    @DefaultValue("16777216") int factorElements,
    @DefaultValue("2") int parallel) {
  VerificationSettings {
    if (parallel < 1) {
      throw new IllegalArgumentException(
          "nola.verification.parallel=" + parallel + ", must be at least 1");
    }
  }
}

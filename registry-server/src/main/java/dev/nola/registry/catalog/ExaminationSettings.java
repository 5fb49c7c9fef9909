package dev.nola.registry.catalog;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Budget of the server's own reconstructions, when an adapter is published and when a worker
 * attests one; larger adapters are left to workers.
 *
 * @param additions of basis elements; a core does about 10⁹ in a second
 * @param factorElements of the largest factor, each of which takes 12 bytes of memory
 * @param parallel files that are read and reconstructed at the same time
 */
@ConfigurationProperties("nola.verification")
record ExaminationSettings(
    @DefaultValue("10000000000") long additions,
    @DefaultValue("16777216") int factorElements,
    @DefaultValue("2") int parallel) {
  ExaminationSettings {
    if (parallel < 1) {
      throw new IllegalArgumentException(
          "nola.verification.parallel=" + parallel + ", must be at least 1");
    }
  }
}

package dev.nola.registry.catalog;

import dev.nola.reconstruct.Budget;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * Budget of the server's own reconstructions, when an adapter is published and when a worker
 * attests one; larger adapters are left to workers.
 *
 * @param additions of basis elements; a core does about 10⁹ in a second
 * @param memory that the factors of one file and their accumulators may take; null for an equal
 *     share, over the files at the same time, of half of what reconstructions may take by default
 * @param parallel files that are read and reconstructed at the same time
 */
@ConfigurationProperties("nola.verification")
record ExaminationSettings(
    @DefaultValue("10000000000") long additions,
    @Nullable DataSize memory,
    @DefaultValue("2") int parallel) {
  ExaminationSettings {
    if (parallel < 1) {
      throw new IllegalArgumentException(
          "nola.verification.parallel=" + parallel + ", must be at least 1");
    }
  }

  /** Returns the memory for one file in bytes. */
  long memoryBytes() {
    return memory == null ? Budget.standard().memoryBytes() / 2 / parallel : memory.toBytes();
  }
}

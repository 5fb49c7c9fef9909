package dev.nola.registry.catalog;

import dev.nola.reconstruct.Budget;
import java.time.Duration;
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
 * @param timePerAccount that the reconstructions of an account's publications may take in an hour
 * @param maxWait how long a publication waits for its turn before it is left to workers
 */
@ConfigurationProperties("nola.verification")
record ExaminationSettings(
    @DefaultValue("10000000000") long additions,
    @Nullable DataSize memory,
    @DefaultValue("2") int parallel,
    @DefaultValue("10m") Duration timePerAccount,
    @DefaultValue("10s") Duration maxWait) {
  private static final Duration HOUR = Duration.ofHours(1);

  ExaminationSettings {
    if (parallel < 1) {
      throw new IllegalArgumentException(
          "invalid nola.verification.parallel: " + parallel + "; must be at least 1");
    }
    if (!timePerAccount.isPositive() || timePerAccount.compareTo(HOUR) > 0) {
      throw new IllegalArgumentException(
          "invalid nola.verification.time-per-account: "
              + timePerAccount
              + "; must be positive, at most 1h");
    }
    if (maxWait.isNegative()) {
      throw new IllegalArgumentException(
          "invalid nola.verification.max-wait: " + maxWait + "; must not be negative");
    }
  }

  /** Returns the memory for one file in bytes. */
  long memoryBytes() {
    return memory == null ? Budget.standard().memoryBytes() / 2 / parallel : memory.toBytes();
  }
}

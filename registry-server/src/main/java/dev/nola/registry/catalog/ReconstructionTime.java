package dev.nola.registry.catalog;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import io.github.bucket4j.Bucket;
import java.time.Duration;

/**
 * The time that the registry spends on reconstructing the files of each account: an amount an hour,
 * which refills steadily. The last reconstruction may exceed it, and the account owes the excess.
 * Each server counts on its own, from its start.
 */
final class ReconstructionTime {
  private static final Duration PERIOD = Duration.ofHours(1);

  /** Beyond it the least used are forgotten, which resets them to their full amount. */
  private static final int TRACKED = 100_000;

  private final LoadingCache<String, Bucket> nanoseconds;

  /** Grants each account an amount of time an hour. */
  ReconstructionTime(Duration perHour) {
    this.nanoseconds =
        Caffeine.newBuilder()
            .maximumSize(TRACKED)
            .build(
                _ ->
                    Bucket.builder()
                        .addLimit(
                            limit ->
                                limit
                                    .capacity(perHour.toNanos())
                                    .refillGreedy(perHour.toNanos(), PERIOD))
                        .build());
  }

  /** Returns whether an account has time left. */
  boolean isLeft(String account) {
    return nanoseconds.get(account).getAvailableTokens() > 0;
  }

  /** Charges an account for a reconstruction. */
  void spend(String account, long elapsedNanoseconds) {
    nanoseconds.get(account).consumeIgnoringRateLimits(Math.max(1, elapsedNanoseconds));
  }
}

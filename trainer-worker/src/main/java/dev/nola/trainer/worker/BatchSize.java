package dev.nola.trainer.worker;

import java.time.Duration;

/** How many verifications a slot takes at a time: as many as it does in about two seconds. */
final class BatchSize {
  private static final int MAXIMUM_LEASES = 100;
  private static final Duration TARGET = Duration.ofSeconds(2);

  private int size = 16;

  int get() {
    return size;
  }

  void took(int count, long nanos) {
    size = Math.clamp(count * TARGET.toNanos() / Math.max(1, nanos), 1, MAXIMUM_LEASES - 1);
  }
}

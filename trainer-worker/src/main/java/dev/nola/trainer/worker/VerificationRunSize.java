package dev.nola.trainer.worker;

import java.time.Duration;

/** The number of verifications that a slot takes at a time: what it does in about two seconds. */
final class VerificationRunSize {
  private static final int MAX_LEASES = 100;
  private static final Duration TARGET = Duration.ofSeconds(2);

  private int size = 16;

  int get() {
    return size;
  }

  /** Learns how long a run took, in nanoseconds. */
  void learn(int count, long nanos) {
    size = Math.clamp(count * TARGET.toNanos() / Math.max(1, nanos), 1, MAX_LEASES - 1);
  }
}

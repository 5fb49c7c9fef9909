package dev.nola.endtoend;

import java.io.IOException;
import java.time.Duration;

/** Waits for other processes by polling. */
final class Waiting {
  private static final Duration TIMEOUT = Duration.ofMinutes(5);
  private static final Duration INTERVAL = Duration.ofMillis(100);

  private Waiting() {}

  /** A condition to poll; an exception ends the wait. */
  @FunctionalInterface
  interface Condition {
    boolean holds() throws IOException, InterruptedException;
  }

  static void until(String what, Condition condition) throws IOException, InterruptedException {
    long end = System.nanoTime() + TIMEOUT.toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("timed out after " + TIMEOUT + " waiting for " + what);
      }
      Thread.sleep(INTERVAL);
    }
  }
}

package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** Waits for what another thread or process does. */
public final class Await {
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final Duration PAUSE = Duration.ofMillis(50);

  private Await() {}

  /** Waits until a condition is met; fails if it takes too long, or the condition throws. */
  public static void until(Callable<Boolean> condition) {
    long end = System.nanoTime() + LIMIT.toNanos();
    while (!isMet(condition)) {
      assertThat(System.nanoTime()).as("waited for too long").isLessThan(end);
      LockSupport.parkNanos(PAUSE.toNanos());
    }
  }

  private static boolean isMet(Callable<Boolean> condition) {
    try {
      return condition.call();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}

package dev.nola.threads;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class UninterruptiblesTest {
  @Test
  void interruptedWaitEndsLaterAndRestoresTheFlag() throws InterruptedException {
    CountDownLatch latch = new CountDownLatch(1);
    Thread other = Thread.ofVirtual().start(latch::countDown);
    Thread.currentThread().interrupt();
    Uninterruptibles.await(latch::await);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(latch.getCount()).isZero();
    other.join();
  }

  @Test
  void undisturbedWaitLeavesTheFlagUnset() {
    Uninterruptibles.await(Thread.ofVirtual().start(() -> {})::join);
    assertThat(Thread.interrupted()).isFalse();
  }

  @Test
  void everyInterruptionBeginsTheWaitAgain() {
    AtomicInteger calls = new AtomicInteger();
    Uninterruptibles.await(
        () -> {
          if (calls.incrementAndGet() < 3) {
            throw new InterruptedException();
          }
        });
    assertThat(calls).hasValue(3);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void failingWaitRestoresTheFlag() {
    AtomicInteger calls = new AtomicInteger();
    assertThatThrownBy(
            () ->
                Uninterruptibles.await(
                    () -> {
                      if (calls.incrementAndGet() == 1) {
                        throw new InterruptedException();
                      }
                      throw new IllegalStateException("failed");
                    }))
        .isInstanceOf(IllegalStateException.class);
    assertThat(Thread.interrupted()).isTrue();
  }
}

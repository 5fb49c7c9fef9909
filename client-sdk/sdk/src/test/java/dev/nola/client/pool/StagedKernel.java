package dev.nola.client.pool;

import dev.nola.generator.Basis;
import dev.nola.kernel.ForwardingKernel;
import dev.nola.kernel.Kernels;
import java.util.concurrent.CountDownLatch;

/** A backend that can be stopped, and that can be told to compute a wrong bit or to fail. */
final class StagedKernel extends ForwardingKernel {
  /** What a factor comes to. */
  enum Outcome {
    RIGHT,
    WRONG,
    OUT_OF_MEMORY
  }

  private final CountDownLatch reached = new CountDownLatch(1);
  private volatile CountDownLatch gate = new CountDownLatch(0);
  private volatile Outcome outcome = Outcome.RIGHT;

  StagedKernel() {
    super(Kernels.scalar());
  }

  /** Stops at the next factor. */
  void stop() {
    gate = new CountDownLatch(1);
  }

  /** Waits until a factor has been asked for. */
  void awaitReached() throws InterruptedException {
    reached.await();
  }

  /** Goes on. */
  void go() {
    gate.countDown();
  }

  void turn(Outcome outcome) {
    this.outcome = outcome;
  }

  @Override
  public String name() {
    return "staged";
  }

  @Override
  public void combine(
      Basis basis, int[] coefficients, float scale, Target target, int start, int end) {
    reached.countDown();
    try {
      gate.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
    if (outcome == Outcome.OUT_OF_MEMORY) {
      throw new OutOfMemoryError("staged");
    }
    kernel.combine(basis, coefficients, scale, target, start, end);
    if (outcome == Outcome.WRONG) {
      float[] factor = target.array();
      factor[start - target.first()] = -factor[start - target.first()];
    }
  }
}

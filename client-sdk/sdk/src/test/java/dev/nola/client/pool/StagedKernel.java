package dev.nola.client.pool;

import dev.nola.format.DType;
import dev.nola.generator.Basis;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;

/** A backend that can be stopped, and that can be told to compute a wrong bit or to fail. */
final class StagedKernel implements Kernel {
  /** What a factor comes to. */
  enum Outcome {
    RIGHT,
    WRONG,
    OUT_OF_MEMORY
  }

  private final Kernel sound = Kernels.scalar();
  private final CountDownLatch reached = new CountDownLatch(1);
  private volatile CountDownLatch gate = new CountDownLatch(0);
  private volatile Outcome outcome = Outcome.RIGHT;

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
      Basis basis, int[] coefficients, float scale, float[] factor, int from, int to) {
    reached.countDown();
    try {
      gate.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
    if (outcome == Outcome.OUT_OF_MEMORY) {
      throw new OutOfMemoryError("staged");
    }
    sound.combine(basis, coefficients, scale, factor, from, to);
    if (outcome == Outcome.WRONG) {
      factor[from] = -factor[from];
    }
  }

  @Override
  public void project(Basis basis, float[] gradient, double[] products, int from, int to) {
    sound.project(basis, gradient, products, from, to);
  }

  @Override
  public void delta(
      float[] a,
      float[] b,
      int rank,
      int cols,
      int row,
      int rows,
      int from,
      int count,
      double[] delta) {
    sound.delta(a, b, rank, cols, row, rows, from, count, delta);
  }

  @Override
  public int merge(
      DType dtype,
      MemorySegment weights,
      MemorySegment merged,
      long first,
      int count,
      double[] multipliers,
      double[][] deltas,
      int at) {
    return sound.merge(dtype, weights, merged, first, count, multipliers, deltas, at);
  }
}

package dev.nola.kernel;

import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;

/**
 * Divides factors by their elements and transposed products by their basis vectors among the
 * threads of a pool. Nothing is added across parts, so their number moves no bit. Transforms are
 * not divided, nor are blocks of ΔW, which callers divide by rows.
 */
final class ParallelKernel extends ForwardingKernel {
  /** The least elements of a part: several of the sets that the vector kernel works on at once. */
  private static final int ELEMENTS = 1 << 14;

  /** The least basis vectors of a part. */
  private static final int VECTORS = 16;

  /** More parts than threads, so that no thread waits long for the last one. */
  private static final int PARTS_PER_THREAD = 4;

  private final ForkJoinPool pool;

  ParallelKernel(Kernel kernel, ForkJoinPool pool) {
    super(kernel);
    this.pool = pool;
  }

  @Override
  public void combine(
      Basis basis, int[] coefficients, float scale, float[] factor, int from, int to) {
    int grain = basis.generator() == Generator.SRHT ? Integer.MAX_VALUE : ELEMENTS;
    inParts(
        from,
        to,
        grain,
        (begin, end) -> kernel.combine(basis, coefficients, scale, factor, begin, end));
  }

  @Override
  public void project(Basis basis, float[] gradient, double[] products, int from, int to) {
    int grain = basis.generator() == Generator.SRHT ? Integer.MAX_VALUE : VECTORS;
    inParts(from, to, grain, (begin, end) -> kernel.project(basis, gradient, products, begin, end));
  }

  @FunctionalInterface
  private interface Part {
    void run(int from, int to);
  }

  /** Runs parts of a whole number of grains, all but the last equally long. */
  private void inParts(int from, int to, int grain, Part part) {
    int parts = PARTS_PER_THREAD * pool.getParallelism();
    long grains = ((long) to - from - 1) / grain / parts + 1;
    long length = grains * grain;
    if (pool.getParallelism() == 1 || to - from <= length) {
      part.run(from, to);
      return;
    }
    List<ForkJoinTask<?>> tasks = new ArrayList<>();
    for (long begin = from; begin < to; begin += length) {
      int start = (int) begin;
      int end = (int) Math.min(to, begin + length);
      tasks.add(ForkJoinTask.adapt(() -> part.run(start, end)));
    }
    pool.invoke(
        ForkJoinTask.adapt(
            () -> {
              ForkJoinTask.invokeAll(tasks);
            }));
  }
}

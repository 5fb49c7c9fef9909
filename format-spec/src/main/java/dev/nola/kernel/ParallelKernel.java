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
      Basis basis, int[] coefficients, float scale, Target target, int start, int end) {
    int grain = basis.generator() == Generator.SRHT ? Integer.MAX_VALUE : ELEMENTS;
    inParts(
        start,
        end,
        grain,
        (first, limit) -> kernel.combine(basis, coefficients, scale, target, first, limit));
  }

  @Override
  public void stream(Basis basis, int[] coefficients, float scale, Sink sink) {
    if (basis.generator() == Generator.SRHT) {
      kernel.stream(basis, coefficients, scale, sink);
    } else {
      super.stream(basis, coefficients, scale, sink);
    }
  }

  @Override
  public void project(Basis basis, float[] gradient, double[] products, int start, int end) {
    int grain = basis.generator() == Generator.SRHT ? Integer.MAX_VALUE : VECTORS;
    inParts(
        start,
        end,
        grain,
        (first, limit) -> kernel.project(basis, gradient, products, first, limit));
  }

  @FunctionalInterface
  private interface Part {
    void run(int start, int end);
  }

  /** Runs parts of a whole number of grains, all but the last equally long. */
  private void inParts(int start, int end, int grain, Part part) {
    int parts = PARTS_PER_THREAD * pool.getParallelism();
    long grains = ((long) end - start - 1) / grain / parts + 1;
    long length = grains * grain;
    if (pool.getParallelism() == 1 || end - start <= length) {
      part.run(start, end);
      return;
    }
    List<ForkJoinTask<?>> tasks = new ArrayList<>();
    for (long first = start; first < end; first += length) {
      int partStart = (int) first;
      int partEnd = (int) Math.min(end, first + length);
      tasks.add(ForkJoinTask.adapt(() -> part.run(partStart, partEnd)));
    }
    pool.invoke(
        ForkJoinTask.adapt(
            () -> {
              ForkJoinTask.invokeAll(tasks);
            }));
  }
}

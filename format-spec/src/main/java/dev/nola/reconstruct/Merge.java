package dev.nola.reconstruct;

import dev.nola.format.DType;
import dev.nola.kernel.Kernel;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Adds ΔW to weights a strip at a time: no more of it than a strip is ever held (SPEC.md section
 * 7.3).
 */
public final class Merge {
  /**
   * Elements of B that a strip of columns has: 16 KiB, which stay in a first cache for all rows.
   */
  private static final int PANEL = 4096;

  private Merge() {}

  /**
   * Merges elements {@code from …} of an adapted tensor, flattened row-major (a slice: taken first,
   * then flattened).
   *
   * @param kernel does the arithmetic
   * @param dtype type of the weights
   * @param weights the elements' weights, little-endian
   * @param merged receives as many bytes; may be the same memory
   * @param from index of the first element
   * @param deltas what to add, in this order; all of the same tensor and slice
   * @throws MergeOverflowException if a finite weight would become infinite; {@code merged} is of
   *     no use then
   * @throws IllegalArgumentException if {@code weights} and {@code merged} differ in length, or
   *     that is no whole number of elements
   */
  public static void merge(
      Kernel kernel,
      DType dtype,
      MemorySegment weights,
      MemorySegment merged,
      long from,
      List<WeightedDelta> deltas) {
    if (weights.byteSize() != merged.byteSize() || weights.byteSize() % dtype.bytes() != 0) {
      throw new IllegalArgumentException(
          "weights of %d bytes and merged weights of %d bytes: must be the same whole number of %s"
              .formatted(weights.byteSize(), merged.byteSize(), dtype));
    }
    if (deltas.isEmpty()) {
      throw new IllegalArgumentException("deltas=[], must be at least one");
    }
    long elements = weights.byteSize() / dtype.bytes();
    double[] multipliers = deltas.stream().mapToDouble(WeightedDelta::weight).toArray();
    int cols = deltas.getFirst().factors().layer().cols();
    int rank = deltas.stream().mapToInt(delta -> delta.factors().rank()).max().orElse(0);
    int width = Math.min(cols, PANEL / Math.max(1, rank));
    double[][] strips = new double[deltas.size()][width];
    long firstRow = from / cols;
    long lastRow = (from + elements - 1) / cols;
    for (int left = 0; left < cols; left += width) {
      int right = Math.min(cols, left + width);
      for (long row = firstRow; row <= lastRow; row++) {
        long begin = Math.max(from, row * cols + left);
        int count = (int) (Math.min(from + elements, row * cols + right) - begin);
        if (count <= 0) {
          continue;
        }
        for (int n = 0; n < strips.length; n++) {
          deltas.get(n).factors().delta(begin, strips[n], count);
        }
        int overflow =
            kernel.merge(dtype, weights, merged, begin - from, count, multipliers, strips);
        if (overflow >= 0) {
          throw new MergeOverflowException(
              deltas.getFirst().factors().layer().tensor(), begin + overflow, dtype);
        }
      }
    }
  }
}

package dev.nola.reconstruct;

import dev.nola.format.DType;
import dev.nola.kernel.Kernel;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Adds ΔW to weights a strip at a time, so that only one strip of it is in memory (SPEC.md section
 * 7.3).
 */
public final class Merge {
  /**
   * Elements of B in a strip of columns: 64 KiB, which stay in the second-level cache for all rows.
   * Narrower strips would fit into the first-level cache, but read weights in pieces too short for
   * prefetching.
   */
  private static final int PANEL = 1 << 14;

  /** Rows of ΔW that are computed together, so that a value of B is read once for all of them. */
  private static final int ROWS = 8;

  private Merge() {}

  /**
   * Merges elements {@code start …} of an adapted tensor, flattened row-major (a slice is taken
   * first and then flattened).
   *
   * @param kernel does the arithmetic
   * @param dtype type of the weights
   * @param weights the elements' weights, little-endian
   * @param merged receives as many bytes; may be the same memory
   * @param start index of the first element
   * @param deltas the deltas, added in this order; at least one, all of the same tensor and slice
   * @throws MergeOverflowException if a finite weight would become infinite; {@code merged} is
   *     undefined then
   * @throws IllegalArgumentException if {@code weights} and {@code merged} differ in length, the
   *     length is not a whole number of elements, or there is no delta
   */
  public static void merge(
      Kernel kernel,
      DType dtype,
      MemorySegment weights,
      MemorySegment merged,
      long start,
      List<WeightedDelta> deltas) {
    if (weights.byteSize() != merged.byteSize() || weights.byteSize() % dtype.bytes() != 0) {
      throw new IllegalArgumentException(
          "lengths of weights and merged weights do not match: %d and %d bytes; must be equal, and a multiple of the size of %s"
              .formatted(weights.byteSize(), merged.byteSize(), dtype));
    }
    if (deltas.isEmpty()) {
      throw new IllegalArgumentException("no deltas to merge; needs at least one");
    }
    long elements = weights.byteSize() / dtype.bytes();
    if (elements == 0) {
      return;
    }
    int cols = deltas.getFirst().factors().layer().cols();
    int rank = deltas.stream().mapToInt(delta -> delta.factors().rank()).max().orElse(0);
    int width = Math.min(cols, PANEL / Math.max(1, rank));
    double[] multipliers = deltas.stream().mapToDouble(WeightedDelta::weight).toArray();
    double[][] blocks = new double[deltas.size()][ROWS * width];
    long last = start + elements - 1;
    int firstRow = (int) (start / cols);
    int lastRow = (int) (last / cols);
    // The first and the last row may be incomplete: then each is a separate block.
    int firstWhole = start % cols == 0 ? firstRow : firstRow + 1;
    int endOfWhole = (last + 1) % cols == 0 ? lastRow + 1 : lastRow;
    for (int left = 0; left < cols; left += width) {
      for (int row = firstRow; row <= lastRow; ) {
        int rows = row < firstWhole || row >= endOfWhole ? 1 : Math.min(ROWS, endOfWhole - row);
        int begin = row == firstRow ? Math.max(left, (int) (start % cols)) : left;
        int end = Math.min(left + width, row == lastRow ? (int) (last % cols) + 1 : cols);
        int count = end - begin;
        if (count > 0) {
          Kernel.Block block = new Kernel.Block(row, rows, begin, count);
          for (int n = 0; n < blocks.length; n++) {
            deltas.get(n).factors().delta(block, blocks[n]);
          }
          for (int i = 0; i < rows; i++) {
            long element = (long) (row + i) * cols + begin;
            int overflow =
                kernel.merge(
                    dtype,
                    weights,
                    merged,
                    element - start,
                    count,
                    new Kernel.Summands(multipliers, blocks, i * count));
            if (overflow >= 0) {
              throw new MergeOverflowException(
                  deltas.getFirst().factors().layer().tensor(), element + overflow, dtype);
            }
          }
        }
        row += rows;
      }
    }
  }
}

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
  /** Elements of ΔW that are held at a time, for each adapter. */
  private static final int STRIP = 4096;

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
    long elements = weights.byteSize() / dtype.bytes();
    int longest = (int) Math.min(STRIP, elements);
    double[][] strips = new double[deltas.size()][longest];
    double[] multipliers = deltas.stream().mapToDouble(WeightedDelta::weight).toArray();
    for (long done = 0; done < elements; done += STRIP) {
      int count = (int) Math.min(STRIP, elements - done);
      for (int n = 0; n < strips.length; n++) {
        deltas.get(n).factors().delta(from + done, strips[n], count);
      }
      long offset = done * dtype.bytes();
      long length = (long) count * dtype.bytes();
      int overflow =
          kernel.merge(
              dtype,
              weights.asSlice(offset, length),
              merged.asSlice(offset, length),
              count,
              multipliers,
              strips);
      if (overflow >= 0) {
        throw new MergeOverflowException(
            deltas.getFirst().factors().layer().tensor(), from + done + overflow, dtype);
      }
    }
  }
}

package dev.nola.client.merge;

import dev.nola.format.Adapter;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.format.Slice;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * SPEC.md section 7.3 as slow and plain as it can be written: an element at a time, from its
 * coordinates.
 */
final class PlainMerge {
  private PlainMerge() {}

  /**
   * A tensor with what adapters add to it.
   *
   * @param name the tensor's name in the adapters
   */
  static byte[] merge(
      String name,
      DType dtype,
      List<Integer> shape,
      MemorySegment weights,
      List<Adapter> adapters,
      double[] multipliers)
      throws LimitExceededException {
    int elements = shape.stream().reduce(1, (a, b) -> a * b);
    double[] sums = new double[elements];
    for (int e = 0; e < elements; e++) {
      sums[e] = TestModel.get(dtype, weights, e);
    }
    boolean[] adapted = new boolean[elements];
    for (int i = 0; i < multipliers.length; i++) {
      for (Layer layer : adapters.get(i).layers()) {
        if (layer.tensor().equals(name)) {
          Factors factors = Reconstructor.standard().open(adapters.get(i)).apply(layer);
          int next = 0;
          for (int e = 0; e < elements; e++) {
            if (isIn(layer.slice(), shape, e)) {
              sums[e] += multipliers[i] * delta(factors, next++);
              adapted[e] = true;
            }
          }
        }
      }
    }
    byte[] merged = weights.toArray(ValueLayout.JAVA_BYTE);
    for (int e = 0; e < elements; e++) {
      if (adapted[e]) {
        TestModel.set(dtype, MemorySegment.ofArray(merged), e, (float) sums[e]);
      }
    }
    return merged;
  }

  private static boolean isIn(Slice slice, List<Integer> shape, int element) {
    if (slice == null) {
      return true;
    }
    int rest = element;
    int coordinate = 0;
    for (int dim = shape.size() - 1; dim >= slice.dim(); dim--) {
      coordinate = rest % shape.get(dim);
      rest /= shape.get(dim);
    }
    return coordinate >= slice.start() && coordinate < slice.end();
  }

  /** Element of ΔW, flattened. */
  private static double delta(Factors factors, int element) {
    float[] b = factors.b();
    if (b == null) {
      return factors.a()[element];
    }
    int cols = factors.layer().cols();
    double sum = 0;
    for (int t = 0; t < factors.rank(); t++) {
      sum +=
          (double) factors.a()[element / cols * factors.rank() + t] * b[t * cols + element % cols];
    }
    return sum;
  }
}

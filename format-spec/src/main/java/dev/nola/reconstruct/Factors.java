package dev.nola.reconstruct;

import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The reconstructed factors of one layer, from which any part of ΔW is computed on demand. The
 * arrays are not copied: whoever changes them changes ΔW.
 */
public final class Factors {
  private final Kernel kernel;
  private final Layer layer;
  private final float[] a;
  private final float @Nullable [] b;
  private final int rank;

  Factors(Kernel kernel, Layer layer, float[] a, float @Nullable [] b) {
    this.kernel = kernel;
    this.layer = layer;
    this.rank =
        switch (layer.coefficients()) {
          case Direct _ -> 0;
          case LowRank lowRank -> lowRank.rank();
        };
    this.a = a;
    this.b = b;
  }

  /**
   * Factors that were computed elsewhere, such as on a GPU.
   *
   * @param a R×r row-major; in the direct form R×C
   * @param b r×C row-major, or null in the direct form
   * @throws IllegalArgumentException if one has not as many elements as the layer's
   */
  public static Factors of(Layer layer, float[] a, float @Nullable [] b) {
    Factors factors = new Factors(Kernels.chosen(), layer, a, b);
    long rank = factors.rank;
    requireLength(layer, "A", a.length, layer.rows() * (rank == 0 ? layer.cols() : rank));
    requireLength(layer, "B", b == null ? 0 : b.length, rank * layer.cols());
    return factors;
  }

  private static void requireLength(Layer layer, String side, long actual, long expected) {
    if (actual != expected) {
      throw new IllegalArgumentException(
          "factor %s of tensor %s has %d elements, must have %d"
              .formatted(side, layer.tensor(), actual, expected));
    }
  }

  /** The layer that was reconstructed. */
  public Layer layer() {
    return layer;
  }

  /** Factor A, R×r row-major; in the direct form ΔW itself, R×C. */
  public float[] a() {
    return a;
  }

  /** Factor B, r×C row-major, or null in the direct form. */
  public float @Nullable [] b() {
    return b;
  }

  /** r, or 0 in the direct form. */
  public int rank() {
    return rank;
  }

  /** Row i of ΔW, C values. */
  public double[] deltaRow(int i) {
    Objects.checkIndex(i, layer.rows());
    double[] row = new double[layer.cols()];
    delta(i, 1, 0, row.length, row);
    return row;
  }

  /**
   * A part of ΔW, flattened row-major.
   *
   * @param from the first element, 0 ≤ from
   * @param delta receives {@code count} values from index 0
   * @param count number of elements, from + count ≤ R·C
   */
  public void delta(long from, double[] delta, int count) {
    Objects.checkFromIndexSize(from, count, layer.elements());
    int cols = layer.cols();
    for (int done = 0; done < count; ) {
      long element = from + done;
      int column = (int) (element % cols);
      int part = Math.min(count - done, cols - column);
      double[] row = new double[part];
      delta((int) (element / cols), 1, column, part, row);
      System.arraycopy(row, 0, delta, done, part);
      done += part;
    }
  }

  /** A block of ΔW, row-major: rows row … row + rows − 1, columns from … from + count − 1. */
  void delta(int row, int rows, int from, int count, double[] block) {
    if (b != null) {
      kernel.delta(a, b, rank, layer.cols(), row, rows, from, count, block);
      return;
    }
    for (int i = 0; i < rows; i++) {
      int at = (row + i) * layer.cols() + from;
      for (int j = 0; j < count; j++) {
        block[i * count + j] = a[at + j];
      }
    }
  }
}

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
 * arrays are not copied: changing them changes ΔW.
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
   * Wraps factors that were computed elsewhere, such as on a GPU.
   *
   * @param layer the layer that was reconstructed
   * @param a R×r row-major; in the direct form R×C
   * @param b r×C row-major, or null in the direct form
   * @return the factors
   * @throws IllegalArgumentException if an array is not as long as the layer requires
   */
  public static Factors of(Layer layer, float[] a, float @Nullable [] b) {
    Factors factors = new Factors(Kernels.chosen(), layer, a, b);
    long rank = factors.rank;
    requireLength(layer, "A", a.length, layer.rows() * (rank == 0 ? layer.cols() : rank));
    requireLength(layer, "B", b == null ? 0 : b.length, rank * layer.cols());
    return factors;
  }

  /**
   * Returns how factors are balanced for a type of a narrow range, such as f16: A is multiplied by
   * this power of two and B divided by it, which changes no product and rounds no element, and
   * makes their largest elements alike in magnitude.
   *
   * @param largestA the largest magnitude in A, positive
   * @param largestB the largest magnitude in B, positive
   * @return the exponent
   */
  public static int balancingExponent(double largestA, double largestB) {
    return Math.floorDiv(Math.getExponent(largestB) - Math.getExponent(largestA), 2);
  }

  private static void requireLength(Layer layer, String side, long actual, long expected) {
    if (actual != expected) {
      throw new IllegalArgumentException(
          "wrong length of factor %s of tensor %s: %d elements; must be %d"
              .formatted(side, layer.tensor(), actual, expected));
    }
  }

  /**
   * Returns the layer that was reconstructed.
   *
   * @return the layer
   */
  public Layer layer() {
    return layer;
  }

  /**
   * Returns factor A.
   *
   * @return R×r row-major; in the direct form ΔW itself, R×C
   */
  public float[] a() {
    return a;
  }

  /**
   * Returns factor B.
   *
   * @return r×C row-major, or null in the direct form
   */
  public float @Nullable [] b() {
    return b;
  }

  /**
   * Returns the rank.
   *
   * @return r, or 0 in the direct form
   */
  public int rank() {
    return rank;
  }

  /**
   * Computes a row of ΔW.
   *
   * @param i the row, {@code 0 ≤ i < R}
   * @return C values
   * @throws IndexOutOfBoundsException if {@code i} is out of range
   */
  public double[] deltaRow(int i) {
    Objects.checkIndex(i, layer.rows());
    double[] row = new double[layer.cols()];
    delta(new Kernel.Block(i, 1, 0, row.length), row);
    return row;
  }

  /**
   * Computes a part of ΔW, flattened row-major (SPEC.md section 7.2).
   *
   * @param start the first element, at least 0
   * @param delta receives {@code count} values from index 0
   * @param count number of elements, start + count ≤ R·C
   * @throws IndexOutOfBoundsException if the part is not inside ΔW
   */
  public void delta(long start, double[] delta, int count) {
    Objects.checkFromIndexSize(start, count, layer.elements());
    int cols = layer.cols();
    for (int done = 0; done < count; ) {
      long element = start + done;
      int column = (int) (element % cols);
      int part = Math.min(count - done, cols - column);
      double[] row = new double[part];
      delta(new Kernel.Block((int) (element / cols), 1, column, part), row);
      System.arraycopy(row, 0, delta, done, part);
      done += part;
    }
  }

  /** Computes a block of ΔW, row-major. */
  void delta(Kernel.Block block, double[] delta) {
    if (b != null) {
      kernel.delta(a, b, rank, layer.cols(), block, delta);
      return;
    }
    for (int i = 0; i < block.rows(); i++) {
      int offset = (block.row() + i) * layer.cols() + block.column();
      for (int j = 0; j < block.columns(); j++) {
        delta[i * block.columns() + j] = a[offset + j];
      }
    }
  }
}

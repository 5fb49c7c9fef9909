package dev.nola.client.export;

import dev.nola.client.peft.ProductError;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.reconstruct.Factors;
import java.util.List;
import java.util.Objects;

/**
 * The two factors of a whole weight as it is stored, of R×C: those of its layers side by side, with
 * zeros where a layer does not reach and for ranks beyond theirs.
 *
 * @param a R×rank, row-major
 * @param b rank×C, row-major
 */
record LoraFactors(int rows, int cols, int rank, float[] a, float[] b) {
  /** Zeros of R×C. */
  LoraFactors(int rows, int cols, int rank) {
    this(
        rows,
        cols,
        rank,
        new float[Math.multiplyExact(rows, rank)],
        new float[Math.multiplyExact(rank, cols)]);
  }

  /**
   * Stacks the factors of a module's layers. A·B is exactly ΔW.
   *
   * @param rank at least the sum of the layers' ranks
   */
  static LoraFactors stack(LoraModule module, List<Factors> layers, int rank) {
    LoraFactors stacked = new LoraFactors(module.rows(), module.cols(), rank);
    int first = 0;
    for (Factors factors : layers) {
      stacked.put(factors, first);
      first += factors.rank();
    }
    return stacked;
  }

  /**
   * Puts a layer's factors to the ranks {@code first …}, balanced: A times a power of two and B
   * divided by it, so that their largest elements are of one magnitude and neither needs a wider
   * range than the other. Nothing is lost: of A, whose elements are integers of at most 53 bits
   * times a scale of at least 2⁻¹²⁶, and B, whose elements are such integers, the smallest come out
   * above 2⁻⁹².
   */
  private void put(Factors factors, int first) {
    Layer layer = factors.layer();
    float[] layerA = factors.a();
    float[] layerB = Objects.requireNonNull(factors.b());
    float largestA = largest(layerA);
    float largestB = largest(layerB);
    if (largestA == 0 || largestB == 0) {
      return; // ΔW is zero, and so are the factors already
    }
    int shift = Factors.balancingExponent(largestA, largestB);
    // Of at most 90 either way, so that both are normal: the products are those of scalb, faster.
    float timesA = Math.scalb(1F, shift);
    float timesB = Math.scalb(1F, -shift);
    Slice slice = layer.slice();
    int row = slice != null && slice.dim() == 0 ? slice.start() : 0;
    int col = slice != null && slice.dim() == 1 ? slice.start() : 0;
    int layerRank = factors.rank();
    for (int i = 0; i < layer.rows(); i++) {
      for (int t = 0; t < layerRank; t++) {
        a[(row + i) * rank + first + t] = layerA[i * layerRank + t] * timesA;
      }
    }
    for (int t = 0; t < layerRank; t++) {
      for (int j = 0; j < layer.cols(); j++) {
        b[(first + t) * cols + col + j] = layerB[t * layer.cols() + j] * timesB;
      }
    }
  }

  private static float largest(float[] values) {
    float largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  /**
   * How far the product of rounded factors is from this one: ‖A'B' − AB‖ / ‖AB‖ in the Frobenius
   * norm; 0 if both are zero.
   */
  double relativeError(LoraFactors rounded) {
    return ProductError.of(columnsOfA(), rowsOfB(), rounded.columnsOfA(), rounded.rowsOfB())
        .relative();
  }

  private double[][] columnsOfA() {
    double[][] columns = new double[rank][rows];
    for (int t = 0; t < rank; t++) {
      for (int i = 0; i < rows; i++) {
        columns[t][i] = a[i * rank + t];
      }
    }
    return columns;
  }

  private double[][] rowsOfB() {
    double[][] rowsOfB = new double[rank][cols];
    for (int t = 0; t < rank; t++) {
      for (int j = 0; j < cols; j++) {
        rowsOfB[t][j] = b[t * cols + j];
      }
    }
    return rowsOfB;
  }
}

package dev.nola.kernel;

import static dev.nola.kernel.VectorMerge.doubles;
import static dev.nola.kernel.VectorPhilox.INTS;

import dev.nola.kernel.Kernel.Block;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Computes blocks of ΔW. The sums of several rows stay in registers together: each value of B that
 * is read and widened serves all of them.
 */
final class VectorDelta {
  private static final VectorSpecies<Double> DOUBLES = INTS.withLanes(double.class);
  private static final int HALF = DOUBLES.length();

  /** Whether there are registers for the sums of eight rows, as AVX-512 has. */
  private static final boolean EIGHT_ROWS = INTS.vectorBitSize() >= 512;

  private VectorDelta() {}

  /** Computes a block, with the arguments of {@link Kernel#delta}. */
  static void compute(float[] a, float[] b, int rank, int cols, Block block, double[] delta) {
    int row = block.row();
    int rows = block.rows();
    int column = block.column();
    int count = block.columns();
    int vectors = count - count % (2 * HALF);
    // Widened once for all columns.
    double[] left = new double[rows * rank];
    for (int e = 0; e < left.length; e++) {
      left[e] = a[row * rank + e];
    }
    int i = 0;
    for (; EIGHT_ROWS && i <= rows - 8; i += 8) {
      eightRows(left, i * rank, b, rank, cols, column, count, delta, i * count);
    }
    for (; i <= rows - 4; i += 4) {
      fourRows(left, i * rank, b, rank, cols, column, count, delta, i * count);
    }
    for (; i < rows; i++) {
      oneRow(left, i * rank, b, rank, cols, column, count, delta, i * count);
    }
    for (i = 0; i < rows; i++) {
      for (int j = vectors; j < count; j++) {
        double sum = 0;
        for (int t = 0; t < rank; t++) {
          sum += (double) a[(row + i) * rank + t] * (double) b[t * cols + column + j];
        }
        delta[i * count + j] = sum;
      }
    }
  }

  /**
   * Computes four rows. Takes nine plain arguments, so that nothing but vectors is live in the
   * loop.
   */
  private static void fourRows(
      double[] a,
      int left,
      float[] b,
      int rank,
      int cols,
      int column,
      int count,
      double[] delta,
      int offset) {
    for (int j = 0; j <= count - 2 * HALF; j += 2 * HALF) {
      DoubleVector lower0 = DoubleVector.zero(DOUBLES);
      DoubleVector lower1 = DoubleVector.zero(DOUBLES);
      DoubleVector lower2 = DoubleVector.zero(DOUBLES);
      DoubleVector lower3 = DoubleVector.zero(DOUBLES);
      DoubleVector upper0 = DoubleVector.zero(DOUBLES);
      DoubleVector upper1 = DoubleVector.zero(DOUBLES);
      DoubleVector upper2 = DoubleVector.zero(DOUBLES);
      DoubleVector upper3 = DoubleVector.zero(DOUBLES);
      int right = column + j;
      for (int t = left; t < left + rank; t++) {
        DoubleVector lower = doubles(b, right);
        DoubleVector upper = doubles(b, right + HALF);
        DoubleVector a0 = DoubleVector.broadcast(DOUBLES, a[t]);
        DoubleVector a1 = DoubleVector.broadcast(DOUBLES, a[t + rank]);
        DoubleVector a2 = DoubleVector.broadcast(DOUBLES, a[t + 2 * rank]);
        DoubleVector a3 = DoubleVector.broadcast(DOUBLES, a[t + 3 * rank]);
        lower0 = lower.fma(a0, lower0);
        upper0 = upper.fma(a0, upper0);
        lower1 = lower.fma(a1, lower1);
        upper1 = upper.fma(a1, upper1);
        lower2 = lower.fma(a2, lower2);
        upper2 = upper.fma(a2, upper2);
        lower3 = lower.fma(a3, lower3);
        upper3 = upper.fma(a3, upper3);
        right += cols;
      }
      int e = offset + j;
      lower0.intoArray(delta, e);
      upper0.intoArray(delta, e + HALF);
      e += count;
      lower1.intoArray(delta, e);
      upper1.intoArray(delta, e + HALF);
      e += count;
      lower2.intoArray(delta, e);
      upper2.intoArray(delta, e + HALF);
      e += count;
      lower3.intoArray(delta, e);
      upper3.intoArray(delta, e + HALF);
    }
  }

  /** Computes eight rows, with the arguments of {@link #fourRows}. */
  private static void eightRows(
      double[] a,
      int left,
      float[] b,
      int rank,
      int cols,
      int column,
      int count,
      double[] delta,
      int offset) {
    for (int j = 0; j <= count - 2 * HALF; j += 2 * HALF) {
      DoubleVector lower0 = DoubleVector.zero(DOUBLES);
      DoubleVector upper0 = DoubleVector.zero(DOUBLES);
      DoubleVector lower1 = DoubleVector.zero(DOUBLES);
      DoubleVector upper1 = DoubleVector.zero(DOUBLES);
      DoubleVector lower2 = DoubleVector.zero(DOUBLES);
      DoubleVector upper2 = DoubleVector.zero(DOUBLES);
      DoubleVector lower3 = DoubleVector.zero(DOUBLES);
      DoubleVector upper3 = DoubleVector.zero(DOUBLES);
      DoubleVector lower4 = DoubleVector.zero(DOUBLES);
      DoubleVector upper4 = DoubleVector.zero(DOUBLES);
      DoubleVector lower5 = DoubleVector.zero(DOUBLES);
      DoubleVector upper5 = DoubleVector.zero(DOUBLES);
      DoubleVector lower6 = DoubleVector.zero(DOUBLES);
      DoubleVector upper6 = DoubleVector.zero(DOUBLES);
      DoubleVector lower7 = DoubleVector.zero(DOUBLES);
      DoubleVector upper7 = DoubleVector.zero(DOUBLES);
      int right = column + j;
      for (int t = left; t < left + rank; t++) {
        DoubleVector lower = doubles(b, right);
        DoubleVector upper = doubles(b, right + HALF);
        DoubleVector a0 = DoubleVector.broadcast(DOUBLES, a[t]);
        lower0 = lower.fma(a0, lower0);
        upper0 = upper.fma(a0, upper0);
        DoubleVector a1 = DoubleVector.broadcast(DOUBLES, a[t + rank]);
        lower1 = lower.fma(a1, lower1);
        upper1 = upper.fma(a1, upper1);
        DoubleVector a2 = DoubleVector.broadcast(DOUBLES, a[t + 2 * rank]);
        lower2 = lower.fma(a2, lower2);
        upper2 = upper.fma(a2, upper2);
        DoubleVector a3 = DoubleVector.broadcast(DOUBLES, a[t + 3 * rank]);
        lower3 = lower.fma(a3, lower3);
        upper3 = upper.fma(a3, upper3);
        DoubleVector a4 = DoubleVector.broadcast(DOUBLES, a[t + 4 * rank]);
        lower4 = lower.fma(a4, lower4);
        upper4 = upper.fma(a4, upper4);
        DoubleVector a5 = DoubleVector.broadcast(DOUBLES, a[t + 5 * rank]);
        lower5 = lower.fma(a5, lower5);
        upper5 = upper.fma(a5, upper5);
        DoubleVector a6 = DoubleVector.broadcast(DOUBLES, a[t + 6 * rank]);
        lower6 = lower.fma(a6, lower6);
        upper6 = upper.fma(a6, upper6);
        DoubleVector a7 = DoubleVector.broadcast(DOUBLES, a[t + 7 * rank]);
        lower7 = lower.fma(a7, lower7);
        upper7 = upper.fma(a7, upper7);
        right += cols;
      }
      int e = offset + j;
      lower0.intoArray(delta, e);
      upper0.intoArray(delta, e + HALF);
      e += count;
      lower1.intoArray(delta, e);
      upper1.intoArray(delta, e + HALF);
      e += count;
      lower2.intoArray(delta, e);
      upper2.intoArray(delta, e + HALF);
      e += count;
      lower3.intoArray(delta, e);
      upper3.intoArray(delta, e + HALF);
      e += count;
      lower4.intoArray(delta, e);
      upper4.intoArray(delta, e + HALF);
      e += count;
      lower5.intoArray(delta, e);
      upper5.intoArray(delta, e + HALF);
      e += count;
      lower6.intoArray(delta, e);
      upper6.intoArray(delta, e + HALF);
      e += count;
      lower7.intoArray(delta, e);
      upper7.intoArray(delta, e + HALF);
    }
  }

  /** Computes one row, with the arguments of {@link #fourRows}. */
  private static void oneRow(
      double[] a,
      int left,
      float[] b,
      int rank,
      int cols,
      int column,
      int count,
      double[] delta,
      int offset) {
    for (int j = 0; j <= count - 2 * HALF; j += 2 * HALF) {
      DoubleVector lower = DoubleVector.zero(DOUBLES);
      DoubleVector upper = DoubleVector.zero(DOUBLES);
      int right = column + j;
      for (int t = left; t < left + rank; t++) {
        DoubleVector value = DoubleVector.broadcast(DOUBLES, a[t]);
        lower = doubles(b, right).fma(value, lower);
        upper = doubles(b, right + HALF).fma(value, upper);
        right += cols;
      }
      lower.intoArray(delta, offset + j);
      upper.intoArray(delta, offset + j + HALF);
    }
  }
}

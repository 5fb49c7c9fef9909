package dev.nola.kernel;

import static dev.nola.kernel.VectorPhilox.INTS;
import static dev.nola.kernel.VectorPhilox.LANES;
import static dev.nola.kernel.VectorPhilox.ROW;

import dev.nola.generator.Basis;
import dev.nola.generator.Hadamard;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The srht basis: one scatter, one fast Walsh–Hadamard transform and one pass for the signs; the
 * same backwards for the transposed product.
 */
final class VectorHadamard {
  private static final VectorSpecies<Float> FLOATS = INTS.withLanes(float.class);
  private static final VectorSpecies<Double> DOUBLES = INTS.withLanes(double.class);

  private static final int BLOCK = 128;

  /** Integers up to here are f32s, and their product with an f32 scale needs one rounding only. */
  private static final int EXACT_FLOAT = 1 << 24;

  /** Moves the bit of each lane to the top. */
  private static final IntVector TO_SIGN =
      IntVector.broadcast(INTS, Integer.SIZE - 1).sub(IntVector.zero(INTS).addIndex(1));

  private final VectorPhilox philox;
  private final Hadamard hadamard;
  private final int columns;

  /** Sign words of {@link VectorPhilox#LANES} blocks. */
  private final int[] words = new int[ROW];

  VectorHadamard(Basis basis) {
    this.philox = new VectorPhilox(basis);
    this.hadamard = new Hadamard(basis);
    this.columns = Hadamard.columns(basis.length());
  }

  void combine(int[] coefficients, float scale, float[] factor) {
    long bound = 0;
    for (int v : coefficients) {
      bound += Math.abs(v);
    }
    if (bound <= EXACT_FLOAT) {
      int[] sums = new int[columns];
      for (int i = 0; i < coefficients.length; i++) {
        sums[hadamard.column(i)] = coefficients[i];
      }
      FastHadamard.transform(sums);
      sign(sums, scale, factor);
    } else if (bound <= Integer.MAX_VALUE) {
      int[] sums = new int[columns];
      for (int i = 0; i < coefficients.length; i++) {
        sums[hadamard.column(i)] = coefficients[i];
      }
      FastHadamard.transform(sums);
      int[] signs = new int[4];
      for (int e = 0; e < factor.length; e++) {
        factor[e] =
            ScalarKernel.rounded(
                negative(e, signs) ? -sums[e & columns - 1] : sums[e & columns - 1], scale);
      }
    } else {
      double[] sums = new double[columns];
      for (int i = 0; i < coefficients.length; i++) {
        sums[hadamard.column(i)] = coefficients[i];
      }
      FastHadamard.transform(sums);
      int[] signs = new int[4];
      for (int e = 0; e < factor.length; e++) {
        double sum = sums[e & columns - 1];
        factor[e] = ScalarKernel.rounded((long) (negative(e, signs) ? -sum : sum), scale);
      }
    }
  }

  /** Whether D[e] = −1, for ascending e. */
  private boolean negative(int e, int[] signs) {
    if (e % BLOCK == 0) {
      hadamard.signs(e / BLOCK, signs);
    }
    return (signs[e / 32 % 4] >>> e % 32 & 1) != 0;
  }

  /** factor[e] = D[e] · sums[e mod N] · scale, all sums being f32s. */
  private void sign(int[] sums, float scale, float[] factor) {
    int whole = factor.length / BLOCK;
    for (int block = 0; block < whole; block += LANES) {
      philox.words(block, 0, 0, words, 0);
      for (int lane = 0; lane < LANES && block + lane < whole; lane++) {
        int at = (block + lane) * BLOCK;
        int sum = at & columns - 1;
        for (int w = 0; w < 4; w++) {
          int signs = words[w * LANES + lane];
          for (int bit = 0; bit < Integer.SIZE; bit += LANES) {
            IntVector negative =
                IntVector.broadcast(INTS, signs >>> bit)
                    .lanewise(VectorOperators.LSHL, TO_SIGN)
                    .lanewise(VectorOperators.ASHR, Integer.SIZE - 1);
            int e = w * Integer.SIZE + bit;
            IntVector signed =
                IntVector.fromArray(INTS, sums, sum + e)
                    .lanewise(VectorOperators.XOR, negative)
                    .sub(negative);
            ((FloatVector) signed.convertShape(VectorOperators.I2F, FLOATS, 0))
                .mul(scale)
                .add(0.0f)
                .intoArray(factor, at + e);
          }
        }
      }
    }
    int[] signs = new int[4];
    for (int e = whole * BLOCK; e < factor.length; e++) {
      int sum = sums[e & columns - 1];
      factor[e] = ScalarKernel.rounded(negative(e, signs) ? -sum : sum, scale);
    }
  }

  void project(float[] gradient, double[] products, int from, int to) {
    double[] sums = new double[columns];
    int[] signs = new int[4];
    for (int e = 0; e < gradient.length; e++) {
      double value = gradient[e];
      sums[e & columns - 1] += negative(e, signs) ? -value : value;
    }
    FastHadamard.transform(sums);
    for (int i = from; i < to; i++) {
      products[i] = sums[hadamard.column(i)];
    }
  }
}

package dev.nola.kernel;

import static dev.nola.kernel.VectorPhilox.INTS;
import static dev.nola.kernel.VectorPhilox.LANES;
import static dev.nola.kernel.VectorPhilox.ROW;

import dev.nola.generator.Basis;
import dev.nola.generator.Hadamard;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The srht basis: one scatter, one fast Walsh–Hadamard transform and one pass for the signs; the
 * same backwards for the transposed product.
 */
final class VectorHadamard {
  private static final VectorSpecies<Float> FLOATS = INTS.withLanes(float.class);
  private static final VectorSpecies<Double> DOUBLES = INTS.withLanes(double.class);
  private static final int HALF = DOUBLES.length();
  private static final VectorShape HALF_SHAPE = VectorShape.forBitSize(INTS.vectorBitSize() / 2);
  private static final VectorSpecies<Integer> HALF_INTS = VectorSpecies.of(int.class, HALF_SHAPE);
  private static final VectorSpecies<Float> HALF_FLOATS = VectorSpecies.of(float.class, HALF_SHAPE);

  private static final int BLOCK = 128;

  /** Moves the bit of each lane to the top. */
  private static final IntVector TO_SIGN =
      IntVector.broadcast(INTS, Integer.SIZE - 1).sub(IntVector.zero(INTS).addIndex(1));

  private final VectorPhilox philox;
  private final Hadamard hadamard;
  private final int length;
  private final int columns;

  /** Sign words of {@link VectorPhilox#LANES} blocks. */
  private final int[] words = new int[ROW];

  VectorHadamard(Basis basis) {
    this.philox = new VectorPhilox(basis);
    this.hadamard = new Hadamard(basis);
    this.length = basis.length();
    this.columns = Hadamard.columns(basis.length());
  }

  void combine(int[] coefficients, float scale, float[] factor) {
    transform(coefficients, scale, factor);
    sign(factor, columns - 1, factor);
  }

  void stream(int[] coefficients, float scale, Kernel.Sink sink) {
    float[] rounded = new float[columns];
    transform(coefficients, scale, rounded);
    float[] part = new float[Math.min(length, Kernel.CHUNK)];
    for (long first = 0; first < length; first += part.length) {
      int count = (int) Math.min(part.length, length - first);
      sign(rounded, (int) first, part, count);
      sink.accept(part, count);
    }
  }

  /** Computes the rounded sums of all columns, without their signs, into the first elements. */
  private void transform(int[] coefficients, float scale, float[] rounded) {
    long bound = 0;
    for (int v : coefficients) {
      bound += Math.abs(v);
    }
    // Rounded before they get their signs: rounding is symmetric.
    if (bound <= Integer.MAX_VALUE) {
      int[] sums = new int[columns];
      for (int i = 0; i < coefficients.length; i++) {
        sums[hadamard.column(i)] = coefficients[i];
      }
      FastHadamard.transform(sums);
      round(sums, scale, rounded);
    } else {
      double[] sums = new double[columns];
      for (int i = 0; i < coefficients.length; i++) {
        sums[hadamard.column(i)] = coefficients[i];
      }
      FastHadamard.transform(sums);
      round(sums, scale, rounded);
    }
  }

  private static void round(int[] sums, float scale, float[] rounded) {
    int e = 0;
    for (; e <= sums.length - HALF; e += HALF) {
      DoubleVector sum =
          (DoubleVector)
              IntVector.fromArray(HALF_INTS, sums, e).convertShape(VectorOperators.I2D, DOUBLES, 0);
      ((FloatVector) sum.mul(scale).convertShape(VectorOperators.D2F, HALF_FLOATS, 0))
          .intoArray(rounded, e);
    }
    for (; e < sums.length; e++) {
      rounded[e] = ScalarKernel.rounded(sums[e], scale);
    }
  }

  private static void round(double[] sums, float scale, float[] rounded) {
    int e = 0;
    for (; e <= sums.length - HALF; e += HALF) {
      DoubleVector sum = DoubleVector.fromArray(DOUBLES, sums, e);
      ((FloatVector) sum.mul(scale).convertShape(VectorOperators.D2F, HALF_FLOATS, 0))
          .intoArray(rounded, e);
    }
    for (; e < sums.length; e++) {
      rounded[e] = ScalarKernel.rounded((long) sums[e], scale);
    }
  }

  /**
   * signed[e] = D[e] · values[e & mask], a zero being +0. Both may be the same array: elements are
   * computed from the last to the first, so that each value is read before it gets its own sign.
   */
  private void sign(float[] values, int mask, float[] signed) {
    int whole = signed.length / BLOCK;
    hadamard.signs(whole, words);
    for (int e = signed.length - 1; e >= whole * BLOCK; e--) {
      int negative = words[e / Integer.SIZE % 4] >>> e % Integer.SIZE & 1;
      float value = values[e & mask];
      signed[e] = (negative == 0 ? value : -value) + 0.0f;
    }
    for (int block = (whole - 1) / LANES * LANES; block >= 0; block -= LANES) {
      philox.words(block, 0, 0, words, 0);
      for (int lane = Math.min(LANES, whole - block) - 1; lane >= 0; lane--) {
        for (int w = 0; w < 4; w++) {
          int e = (block + lane) * BLOCK + w * Integer.SIZE;
          sign(words[w * LANES + lane], values, e & mask, signed, e);
        }
      }
    }
  }

  /** Signs {@code count} elements from {@code first}, a multiple of 128, into another array. */
  private void sign(float[] values, int first, float[] part, int count) {
    int mask = columns - 1;
    int whole = count / BLOCK;
    for (int block = 0; block < whole; block += LANES) {
      philox.words(first / BLOCK + block, 0, 0, words, 0);
      for (int lane = 0; lane < Math.min(LANES, whole - block); lane++) {
        for (int w = 0; w < 4; w++) {
          int i = (block + lane) * BLOCK + w * Integer.SIZE;
          sign(words[w * LANES + lane], values, first + i & mask, part, i);
        }
      }
    }
    hadamard.signs(first / BLOCK + whole, words);
    for (int i = whole * BLOCK; i < count; i++) {
      int e = first + i;
      int negative = words[e / Integer.SIZE % 4] >>> e % Integer.SIZE & 1;
      float value = values[e & mask];
      part[i] = (negative == 0 ? value : -value) + 0.0f;
    }
  }

  private static void sign(int signs, float[] values, int source, float[] signed, int target) {
    for (int bit = 0; bit < Integer.SIZE; bit += LANES) {
      IntVector flip =
          IntVector.broadcast(INTS, signs >>> bit)
              .lanewise(VectorOperators.LSHL, TO_SIGN)
              .and(Integer.MIN_VALUE);
      FloatVector.fromArray(FLOATS, values, source + bit)
          .reinterpretAsInts()
          .lanewise(VectorOperators.XOR, flip)
          .reinterpretAsFloats()
          .add(0.0f)
          .intoArray(signed, target + bit);
    }
  }

  void project(float[] gradient, double[] products, int start, int end) {
    float[] signed = new float[gradient.length];
    sign(gradient, -1, signed);
    double[] sums = new double[columns];
    for (int first = 0; first < signed.length; first += columns) {
      int count = Math.min(columns, signed.length - first);
      for (int e = 0; e < count; e++) {
        sums[e] += signed[first + e];
      }
    }
    FastHadamard.transform(sums);
    for (int i = start; i < end; i++) {
      products[i] = sums[hadamard.column(i)];
    }
  }
}

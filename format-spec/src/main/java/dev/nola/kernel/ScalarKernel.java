package dev.nola.kernel;

import dev.nola.format.DType;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Hadamard;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/** The reference kernel, which reads like SPEC.md sections 6 and 7 and runs on every JVM. */
final class ScalarKernel implements Kernel {
  static final String NAME = "scalar";

  /**
   * Elements that are summed at a time: {@link #PARTIAL_SUMS} blocks of any generator, small enough
   * for the first cache.
   */
  private static final int STRIP = PARTIAL_SUMS * BLOCK;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void combine(
      Basis basis, int[] coefficients, float scale, float[] factor, int from, int to) {
    if (basis.generator() == Generator.SRHT) {
      combineColumns(new Hadamard(basis), coefficients, scale, factor);
      return;
    }
    long[] sums = new long[STRIP];
    int[] integers = new int[STRIP];
    for (long at = from; at < to; at += STRIP) {
      int count = (int) Math.min(STRIP, to - at);
      Arrays.fill(sums, 0);
      for (int i = 0; i < coefficients.length; i++) {
        basis.vector(i, (int) at, count, integers);
        for (int e = 0; e < count; e++) {
          sums[e] += (long) coefficients[i] * integers[e];
        }
      }
      for (int e = 0; e < count; e++) {
        factor[(int) at + e] = rounded(sums[e], scale);
      }
    }
  }

  private static void combineColumns(
      Hadamard hadamard, int[] coefficients, float scale, float[] factor) {
    int n = Hadamard.columns(factor.length);
    long[] sums = new long[n];
    for (int i = 0; i < coefficients.length; i++) {
      sums[hadamard.column(i)] = coefficients[i];
    }
    for (int stride = 1; stride > 0 && stride < n; stride *= 2) {
      for (int group = 0; group < n; group += 2 * stride) {
        for (int j = group; j < group + stride; j++) {
          long a = sums[j];
          long b = sums[j + stride];
          sums[j] = a + b;
          sums[j + stride] = a - b;
        }
      }
    }
    int[] signs = new int[4];
    for (int e = 0; e < factor.length; e++) {
      if (e % 128 == 0) {
        hadamard.signs(e / 128, signs);
      }
      long sum = sums[e & n - 1];
      factor[e] = rounded(bit(signs, e % 128) == 0 ? sum : -sum, scale);
    }
  }

  /**
   * The two roundings of a factor's element; adding +0 turns −0 into +0 and changes nothing else.
   */
  static float rounded(long sum, float scale) {
    return (float) ((double) sum * (double) scale) + 0.0f;
  }

  /** Bit n of a Philox block, least significant bit of word 0 first. */
  private static int bit(int[] words, int n) {
    return words[n / 32] >>> n % 32 & 1;
  }

  @Override
  public void project(Basis basis, float[] gradient, double[] products, int from, int to) {
    if (basis.generator() == Generator.SRHT) {
      projectColumns(new Hadamard(basis), gradient, products, from, to);
      return;
    }
    int[] integers = new int[STRIP];
    double[] partial = new double[PARTIAL_SUMS];
    int perBlock = basis.generator().perBlock();
    for (int i = from; i < to; i++) {
      Arrays.fill(partial, 0);
      for (long at = 0; at < gradient.length; at += STRIP) {
        int count = (int) Math.min(STRIP, gradient.length - at);
        basis.vector(i, (int) at, count, integers);
        for (int e = 0; e < count; e++) {
          // 24 bits times 24 bits: the product is exact, so only the sums round.
          partial[e / perBlock % PARTIAL_SUMS] +=
              (double) integers[e] * (double) gradient[(int) at + e];
        }
      }
      products[i] = addedInHalves(partial);
    }
  }

  static double addedInHalves(double[] partial) {
    for (int half = PARTIAL_SUMS / 2; half > 0; half /= 2) {
      for (int j = 0; j < half; j++) {
        partial[j] += partial[j + half];
      }
    }
    return partial[0];
  }

  private static void projectColumns(
      Hadamard hadamard, float[] gradient, double[] products, int from, int to) {
    int n = Hadamard.columns(gradient.length);
    double[] sums = new double[n];
    int[] signs = new int[4];
    for (int e = 0; e < gradient.length; e++) {
      if (e % 128 == 0) {
        hadamard.signs(e / 128, signs);
      }
      double signed = bit(signs, e % 128) == 0 ? gradient[e] : -gradient[e];
      sums[e & n - 1] += signed;
    }
    for (int stride = 1; stride > 0 && stride < n; stride *= 2) {
      for (int group = 0; group < n; group += 2 * stride) {
        for (int j = group; j < group + stride; j++) {
          double a = sums[j];
          double b = sums[j + stride];
          sums[j] = a + b;
          sums[j + stride] = a - b;
        }
      }
    }
    for (int i = from; i < to; i++) {
      products[i] = sums[hadamard.column(i)];
    }
  }

  @Override
  public void delta(
      float[] a,
      float[] b,
      int rank,
      int cols,
      int row,
      int rows,
      int from,
      int count,
      double[] delta) {
    Arrays.fill(delta, 0, rows * count, 0.0);
    for (int i = 0; i < rows; i++) {
      for (int t = 0; t < rank; t++) {
        double left = a[(row + i) * rank + t];
        int right = t * cols + from;
        for (int j = 0; j < count; j++) {
          // 24 bits times 24 bits: the product is exact, so a fused multiply-add gives the same
          // bits.
          delta[i * count + j] += left * (double) b[right + j];
        }
      }
    }
  }

  @Override
  public int merge(
      DType dtype,
      MemorySegment weights,
      MemorySegment merged,
      long first,
      int count,
      double[] multipliers,
      double[][] deltas,
      int at) {
    return merge(dtype, weights, merged, first, 0, count, multipliers, deltas, at);
  }

  /** Merges elements from ≤ e < to of those that start at {@code first}. */
  int merge(
      DType dtype,
      MemorySegment weights,
      MemorySegment merged,
      long first,
      int from,
      int to,
      double[] multipliers,
      double[][] deltas,
      int at) {
    for (int e = from; e < to; e++) {
      float weight = weight(dtype, weights, first + e);
      if (!Float.isFinite(weight)) {
        copy(dtype, weights, merged, first + e);
        continue;
      }
      double sum = weight;
      for (int n = 0; n < deltas.length; n++) {
        sum += multipliers[n] * deltas[n][at + e];
      }
      if (!store(dtype, merged, first + e, (float) sum)) {
        return e;
      }
    }
    return -1;
  }

  private static float weight(DType dtype, MemorySegment weights, long e) {
    return switch (dtype) {
      case F32 -> Float.intBitsToFloat(weights.getAtIndex(INT, e));
      case F16 -> Float.float16ToFloat(weights.getAtIndex(SHORT, e));
      case BF16 -> Float.intBitsToFloat(weights.getAtIndex(SHORT, e) << 16);
    };
  }

  private static void copy(DType dtype, MemorySegment from, MemorySegment to, long e) {
    switch (dtype) {
      case F32 -> to.setAtIndex(INT, e, from.getAtIndex(INT, e));
      case F16, BF16 -> to.setAtIndex(SHORT, e, from.getAtIndex(SHORT, e));
    }
  }

  /** Stores a sum rounded to nearest even, and tells whether it stayed finite. */
  private static boolean store(DType dtype, MemorySegment merged, long e, float value) {
    return switch (dtype) {
      case F32 -> {
        merged.setAtIndex(INT, e, Float.floatToRawIntBits(value));
        yield Float.isFinite(value);
      }
      case F16 -> {
        short bits = Float.floatToFloat16(value);
        merged.setAtIndex(SHORT, e, bits);
        yield (bits & 0x7C00) != 0x7C00;
      }
      case BF16 -> {
        int bits = Float.floatToRawIntBits(value);
        int upper = bits + 0x7FFF + (bits >>> 16 & 1) >>> 16;
        merged.setAtIndex(SHORT, e, (short) upper);
        yield Float.isFinite(value) && (upper & 0x7F80) != 0x7F80;
      }
    };
  }
}

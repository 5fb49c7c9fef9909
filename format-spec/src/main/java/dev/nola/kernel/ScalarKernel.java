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
   * Elements that are summed at a time: {@link #PARTIAL_SUMS} blocks of any generator, few enough
   * for the first-level cache.
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
      Basis basis, int[] coefficients, float scale, Target target, int start, int end) {
    switch (basis.generator()) {
      case SRHT -> combineColumns(new Hadamard(basis), coefficients, scale, target.array());
      case IDENTITY -> scaleCoefficients(coefficients, scale, target, start, end);
      case UNIFORM24, UNIFORM8, RADEMACHER ->
          combineVectors(basis, coefficients, scale, target, start, end);
    }
  }

  private static void scaleCoefficients(
      int[] coefficients, float scale, Target target, int start, int end) {
    for (int e = start; e < end; e++) {
      target.set(e, rounded(coefficients[e], scale));
    }
  }

  private static void combineVectors(
      Basis basis, int[] coefficients, float scale, Target target, int start, int end) {
    int longest = Math.min(STRIP, end - start);
    long[] sums = new long[longest];
    int[] integers = new int[longest];
    for (long strip = start; strip < end; strip += STRIP) {
      int count = (int) Math.min(STRIP, end - strip);
      Arrays.fill(sums, 0);
      for (int i = 0; i < coefficients.length; i++) {
        basis.vector(i, (int) strip, count, integers);
        for (int e = 0; e < count; e++) {
          sums[e] += (long) coefficients[i] * integers[e];
        }
      }
      for (int e = 0; e < count; e++) {
        target.set((int) strip + e, rounded(sums[e], scale));
      }
    }
  }

  @Override
  public void stream(Basis basis, int[] coefficients, float scale, Sink sink) {
    if (basis.generator() != Generator.SRHT) {
      Kernel.super.stream(basis, coefficients, scale, sink);
      return;
    }
    Hadamard hadamard = new Hadamard(basis);
    long[] sums = transformed(hadamard, coefficients, basis.length());
    float[] part = new float[Math.min(basis.length(), CHUNK)];
    for (long first = 0; first < basis.length(); first += part.length) {
      int count = (int) Math.min(part.length, basis.length() - first);
      sign(hadamard, sums, scale, part, (int) first, count);
      sink.accept(part, count);
    }
  }

  private static void combineColumns(
      Hadamard hadamard, int[] coefficients, float scale, float[] factor) {
    long[] sums = transformed(hadamard, coefficients, factor.length);
    sign(hadamard, sums, scale, factor, 0, factor.length);
  }

  private static long[] transformed(Hadamard hadamard, int[] coefficients, int length) {
    int n = Hadamard.columns(length);
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
    return sums;
  }

  /** Computes {@code count} elements from {@code first}, a multiple of 128, into a part. */
  private static void sign(
      Hadamard hadamard, long[] sums, float scale, float[] part, int first, int count) {
    int[] signs = new int[4];
    for (int i = 0; i < count; i++) {
      int e = first + i;
      if (i % 128 == 0) {
        hadamard.signs(e / 128, signs);
      }
      long sum = sums[e & sums.length - 1];
      part[i] = rounded(bit(signs, e % 128) == 0 ? sum : -sum, scale);
    }
  }

  /** Rounds a factor's element twice; adding +0 turns −0 into +0 and changes nothing else. */
  static float rounded(long sum, float scale) {
    return (float) ((double) sum * (double) scale) + 0.0f;
  }

  /** Returns bit n of a Philox block, least significant bit of word 0 first. */
  private static int bit(int[] words, int n) {
    return words[n / 32] >>> n % 32 & 1;
  }

  @Override
  public void project(Basis basis, float[] gradient, double[] products, int start, int end) {
    switch (basis.generator()) {
      case SRHT -> projectColumns(new Hadamard(basis), gradient, products, start, end);
      case IDENTITY -> {
        for (int i = start; i < end; i++) {
          products[i] = gradient[i] + 0.0; // a sum that starts at +0 is never −0
        }
      }
      case UNIFORM24, UNIFORM8, RADEMACHER -> projectVectors(basis, gradient, products, start, end);
    }
  }

  private static void projectVectors(
      Basis basis, float[] gradient, double[] products, int start, int end) {
    int[] integers = new int[STRIP];
    double[] partial = new double[PARTIAL_SUMS];
    int perBlock = basis.generator().perBlock();
    for (int i = start; i < end; i++) {
      Arrays.fill(partial, 0);
      for (long strip = 0; strip < gradient.length; strip += STRIP) {
        int count = (int) Math.min(STRIP, gradient.length - strip);
        basis.vector(i, (int) strip, count, integers);
        for (int e = 0; e < count; e++) {
          // 24 bits times 24 bits: the product is exact, so only the sums round.
          partial[e / perBlock % PARTIAL_SUMS] +=
              (double) integers[e] * (double) gradient[(int) strip + e];
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
      Hadamard hadamard, float[] gradient, double[] products, int start, int end) {
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
    for (int i = start; i < end; i++) {
      products[i] = sums[hadamard.column(i)];
    }
  }

  @Override
  public void delta(float[] a, float[] b, int rank, int cols, Block block, double[] delta) {
    int count = block.columns();
    Arrays.fill(delta, 0, block.rows() * count, 0.0);
    for (int i = 0; i < block.rows(); i++) {
      for (int t = 0; t < rank; t++) {
        double left = a[(block.row() + i) * rank + t];
        int right = t * cols + block.column();
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
      Summands summands) {
    double[] multipliers = summands.multipliers();
    double[][] deltas = summands.deltas();
    for (int e = 0; e < count; e++) {
      float weight = weight(dtype, weights, first + e);
      if (!Float.isFinite(weight)) {
        copy(dtype, weights, merged, first + e);
        continue;
      }
      double sum = weight;
      for (int n = 0; n < deltas.length; n++) {
        sum += multipliers[n] * deltas[n][summands.offset() + e];
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

  private static void copy(DType dtype, MemorySegment weights, MemorySegment merged, long e) {
    switch (dtype) {
      case F32 -> merged.setAtIndex(INT, e, weights.getAtIndex(INT, e));
      case F16, BF16 -> merged.setAtIndex(SHORT, e, weights.getAtIndex(SHORT, e));
    }
  }

  /** Stores a sum rounded to nearest even; returns whether it stayed finite. */
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

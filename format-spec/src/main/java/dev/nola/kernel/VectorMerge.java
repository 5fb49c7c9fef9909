package dev.nola.kernel;

import static dev.nola.kernel.VectorPhilox.INTS;
import static dev.nola.kernel.VectorPhilox.LANES;

import dev.nola.format.DType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Rows of ΔW, and their addition to weights. */
final class VectorMerge {
  private static final VectorSpecies<Float> FLOATS = INTS.withLanes(float.class);
  private static final VectorSpecies<Double> DOUBLES = INTS.withLanes(double.class);
  private static final int HALF = DOUBLES.length();

  /** Half a vector: as many narrow lanes as a vector of twice their size has. */
  private static final VectorShape HALF_SHAPE = VectorShape.forBitSize(INTS.vectorBitSize() / 2);

  private static final VectorSpecies<Float> HALF_FLOATS = VectorSpecies.of(float.class, HALF_SHAPE);
  private static final VectorSpecies<Short> HALF_SHORTS = VectorSpecies.of(short.class, HALF_SHAPE);

  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  /** Vectors of ΔW that are summed at once. */
  private static final int VECTORS = 4;

  /** 2¹¹²: what the exponents of f16 and f32 differ by. */
  private static final float F16_TO_F32 = 0x1p112f;

  /** The smallest magnitudes that do not stay finite when rounded, as f32 bits. */
  private static final int F32_OVERFLOW = 0x7F80_0000;

  private static final int BF16_OVERFLOW = 0x7F7F_8000;
  private static final int F16_OVERFLOW = 0x477F_F000;

  private VectorMerge() {}

  static void delta(
      float[] a,
      float[] b,
      int rank,
      int cols,
      int row,
      int from,
      int count,
      double[] delta,
      int at) {
    int j = 0;
    for (; j <= count - VECTORS * HALF; j += VECTORS * HALF) {
      DoubleVector sum0 = DoubleVector.zero(DOUBLES);
      DoubleVector sum1 = DoubleVector.zero(DOUBLES);
      DoubleVector sum2 = DoubleVector.zero(DOUBLES);
      DoubleVector sum3 = DoubleVector.zero(DOUBLES);
      int right = from + j;
      for (int t = 0; t < rank; t++) {
        DoubleVector left = DoubleVector.broadcast(DOUBLES, a[row * rank + t]);
        sum0 = doubles(b, right).fma(left, sum0);
        sum1 = doubles(b, right + HALF).fma(left, sum1);
        sum2 = doubles(b, right + 2 * HALF).fma(left, sum2);
        sum3 = doubles(b, right + 3 * HALF).fma(left, sum3);
        right += cols;
      }
      sum0.intoArray(delta, at + j);
      sum1.intoArray(delta, at + j + HALF);
      sum2.intoArray(delta, at + j + 2 * HALF);
      sum3.intoArray(delta, at + j + 3 * HALF);
    }
    for (; j < count; j++) {
      double sum = 0;
      for (int t = 0; t < rank; t++) {
        sum += (double) a[row * rank + t] * (double) b[t * cols + from + j];
      }
      delta[at + j] = sum;
    }
  }

  private static DoubleVector doubles(float[] b, int at) {
    return (DoubleVector)
        FloatVector.fromArray(HALF_FLOATS, b, at).convertShape(VectorOperators.F2D, DOUBLES, 0);
  }

  /**
   * Merges as many elements as whole vectors have.
   *
   * @return the number of elements merged before the first vector with a weight that is not finite
   *     or does not stay so
   */
  static int merge(
      DType dtype,
      MemorySegment weights,
      MemorySegment merged,
      long first,
      int from,
      int count,
      double[] multipliers,
      double[][] deltas) {
    return switch (dtype) {
      case F32 -> mergeF32(weights, merged, first, from, count, multipliers, deltas);
      case F16 -> mergeF16(weights, merged, first, from, count, multipliers, deltas);
      case BF16 -> mergeBf16(weights, merged, first, from, count, multipliers, deltas);
    };
  }

  private static int mergeF32(
      MemorySegment weights,
      MemorySegment merged,
      long first,
      int from,
      int count,
      double[] multipliers,
      double[][] deltas) {
    int e = from;
    for (; e <= count - LANES; e += LANES) {
      long at = (first + e) * Float.BYTES;
      IntVector weight = IntVector.fromMemorySegment(INTS, weights, at, ORDER);
      IntVector sum = sum(weight.reinterpretAsFloats(), multipliers, deltas, e);
      if (reaches(sum, F32_OVERFLOW)) {
        return e;
      }
      sum.intoMemorySegment(merged, at, ORDER);
    }
    return e;
  }

  private static int mergeBf16(
      MemorySegment weights,
      MemorySegment merged,
      long first,
      int from,
      int count,
      double[] multipliers,
      double[][] deltas) {
    int e = from;
    for (; e <= count - LANES; e += LANES) {
      long at = (first + e) * Short.BYTES;
      FloatVector weight =
          widened(weights, at).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      IntVector sum = sum(weight, multipliers, deltas, e);
      if (reaches(sum, BF16_OVERFLOW)) {
        return e;
      }
      IntVector odd = sum.lanewise(VectorOperators.LSHR, 16).and(1);
      narrowed(sum.add(0x7FFF).add(odd).lanewise(VectorOperators.LSHR, 16), merged, at);
    }
    return e;
  }

  private static int mergeF16(
      MemorySegment weights,
      MemorySegment merged,
      long first,
      int from,
      int count,
      double[] multipliers,
      double[][] deltas) {
    int e = from;
    for (; e <= count - LANES; e += LANES) {
      long at = (first + e) * Short.BYTES;
      IntVector bits = widened(weights, at);
      // An infinity becomes a finite number here, so it must be looked for in the weights.
      if (bits.and(0x7C00).compare(VectorOperators.EQ, 0x7C00).anyTrue()) {
        return e;
      }
      FloatVector magnitude =
          bits.and(0x7FFF).lanewise(VectorOperators.LSHL, 13).reinterpretAsFloats().mul(F16_TO_F32);
      FloatVector weight =
          magnitude
              .reinterpretAsInts()
              .or(bits.and(0x8000).lanewise(VectorOperators.LSHL, 16))
              .reinterpretAsFloats();
      IntVector sum = sum(weight, multipliers, deltas, e);
      if (reaches(sum, F16_OVERFLOW)) {
        return e;
      }
      narrowed(halfBits(sum), merged, at);
    }
    return e;
  }

  /** The f16 nearest to each f32, all of which must be below the overflow of f16. */
  private static IntVector halfBits(IntVector bits) {
    IntVector magnitude = bits.and(Integer.MAX_VALUE);
    IntVector odd = magnitude.lanewise(VectorOperators.LSHR, 13).and(1);
    IntVector normal =
        magnitude.add(odd).sub((112 << 23) - 0xFFF).lanewise(VectorOperators.LSHR, 13);
    // 0.5 has the last place of a subnormal f16: adding it rounds there.
    IntVector subnormal =
        magnitude.reinterpretAsFloats().add(0.5f).reinterpretAsInts().sub(126 << 23);
    return normal
        .blend(subnormal, magnitude.compare(VectorOperators.LT, 113 << 23))
        .or(bits.lanewise(VectorOperators.LSHR, 16).and(0x8000));
  }

  private static IntVector widened(MemorySegment weights, long at) {
    return (IntVector)
        ShortVector.fromMemorySegment(HALF_SHORTS, weights, at, ORDER)
            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
  }

  private static void narrowed(IntVector bits, MemorySegment merged, long at) {
    ((ShortVector) bits.convertShape(VectorOperators.I2S, HALF_SHORTS, 0))
        .intoMemorySegment(merged, at, ORDER);
  }

  /** Bits of f32(f64(weight) + Σ multiplier·delta). */
  private static IntVector sum(FloatVector weight, double[] multipliers, double[][] deltas, int e) {
    DoubleVector lower = (DoubleVector) weight.convertShape(VectorOperators.F2D, DOUBLES, 0);
    DoubleVector upper = (DoubleVector) weight.convertShape(VectorOperators.F2D, DOUBLES, 1);
    for (int n = 0; n < deltas.length; n++) {
      double multiplier = multipliers[n];
      lower = lower.add(DoubleVector.fromArray(DOUBLES, deltas[n], e).mul(multiplier));
      upper = upper.add(DoubleVector.fromArray(DOUBLES, deltas[n], e + HALF).mul(multiplier));
    }
    IntVector lowerBits = lower.convertShape(VectorOperators.D2F, FLOATS, 0).reinterpretAsInts();
    IntVector upperBits = upper.convertShape(VectorOperators.D2F, FLOATS, -1).reinterpretAsInts();
    return lowerBits.or(upperBits);
  }

  private static boolean reaches(IntVector floatBits, int limit) {
    return floatBits.and(Integer.MAX_VALUE).compare(VectorOperators.GE, limit).anyTrue();
  }
}

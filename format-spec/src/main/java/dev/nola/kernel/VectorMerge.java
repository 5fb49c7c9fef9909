package dev.nola.kernel;

import static dev.nola.kernel.VectorPhilox.INTS;
import static dev.nola.kernel.VectorPhilox.LANES;

import dev.nola.format.DType;
import dev.nola.kernel.Kernel.Summands;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Adds blocks of ΔW to weights. */
final class VectorMerge {
  private static final VectorSpecies<Float> FLOATS = INTS.withLanes(float.class);
  private static final VectorSpecies<Double> DOUBLES = INTS.withLanes(double.class);
  private static final int HALF = DOUBLES.length();

  /** Half a vector: as many narrow lanes as a vector of twice their size has. */
  private static final VectorShape HALF_SHAPE = VectorShape.forBitSize(INTS.vectorBitSize() / 2);

  private static final VectorSpecies<Float> HALF_FLOATS = VectorSpecies.of(float.class, HALF_SHAPE);
  private static final VectorSpecies<Integer> HALF_INTS = VectorSpecies.of(int.class, HALF_SHAPE);
  private static final VectorSpecies<Short> HALF_SHORTS = VectorSpecies.of(short.class, HALF_SHAPE);

  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  /** Weights that are widened, summed and narrowed in turn. */
  static final int STRIP = 512;

  /** 2¹¹²: what the exponents of f16 and f32 differ by. */
  private static final float F16_TO_F32 = 0x1p112f;

  /** Each thread's strip: a new array for each call would be memory that no cache holds. */
  private static final ThreadLocal<float[]> STRIPS =
      ThreadLocal.withInitial(() -> new float[STRIP]);

  private VectorMerge() {}

  /** Returns half a vector of floats as doubles. */
  static DoubleVector doubles(float[] values, int offset) {
    return (DoubleVector)
        FloatVector.fromArray(HALF_FLOATS, values, offset)
            .convertShape(VectorOperators.F2D, DOUBLES, 0);
  }

  /**
   * Merges as many elements as whole vectors have.
   *
   * @return the number of elements merged: those before the rest that fills no vector, or before a
   *     strip with a weight that is not finite or does not stay so
   */
  static int merge(
      DType dtype,
      MemorySegment weights,
      MemorySegment merged,
      long first,
      int count,
      Summands summands) {
    double[] multipliers = summands.multipliers();
    double[][] deltas = summands.deltas();
    float[] strip = STRIPS.get();
    int e = 0;
    while (count - e >= LANES) {
      int length = Math.min(STRIP, (count - e) / LANES * LANES);
      long weight = (first + e) * dtype.bytes();
      if (!read(dtype, weights, weight, strip, length)
          || add(multipliers, deltas, summands.offset() + e, strip, length) >= overflow(dtype)) {
        return e;
      }
      write(dtype, strip, length, merged, weight);
      e += length;
    }
    return e;
  }

  /**
   * Adds deltas: strip = f32(f64(strip) + Σ multiplier·delta).
   *
   * @return the bits of the largest magnitude
   */
  private static int add(
      double[] multipliers, double[][] deltas, int offset, float[] strip, int length) {
    IntVector largest = IntVector.zero(HALF_INTS);
    for (int e = 0; e < length; e += HALF) {
      DoubleVector sum = doubles(strip, e);
      for (int n = 0; n < deltas.length; n++) {
        sum = sum.add(DoubleVector.fromArray(DOUBLES, deltas[n], offset + e).mul(multipliers[n]));
      }
      FloatVector rounded = (FloatVector) sum.convertShape(VectorOperators.D2F, HALF_FLOATS, 0);
      largest = largest.max(rounded.reinterpretAsInts().and(Integer.MAX_VALUE));
      rounded.intoArray(strip, e);
    }
    return largest.reduceLanes(VectorOperators.MAX);
  }

  /** Returns the smallest magnitude that does not stay finite when rounded, as f32 bits. */
  private static int overflow(DType dtype) {
    return switch (dtype) {
      case F32 -> 0x7F80_0000;
      case F16 -> 0x477F_F000;
      case BF16 -> 0x7F7F_8000;
    };
  }

  /**
   * Widens weights to f32.
   *
   * @return false if the strip may hold wrong numbers, because an f16 weight is infinite or NaN
   */
  private static boolean read(
      DType dtype, MemorySegment weights, long offset, float[] strip, int length) {
    switch (dtype) {
      case F32 -> readF32(weights, offset, strip, length);
      case F16 -> {
        return readF16(weights, offset, strip, length);
      }
      case BF16 -> readBf16(weights, offset, strip, length);
    }
    return true;
  }

  private static void write(
      DType dtype, float[] strip, int length, MemorySegment merged, long offset) {
    switch (dtype) {
      case F32 -> writeF32(strip, length, merged, offset);
      case F16 -> writeF16(strip, length, merged, offset);
      case BF16 -> writeBf16(strip, length, merged, offset);
    }
  }

  private static void readF32(MemorySegment weights, long offset, float[] strip, int length) {
    for (int e = 0; e < length; e += LANES) {
      IntVector.fromMemorySegment(INTS, weights, offset + (long) e * Float.BYTES, ORDER)
          .reinterpretAsFloats()
          .intoArray(strip, e);
    }
  }

  private static void readBf16(MemorySegment weights, long offset, float[] strip, int length) {
    for (int e = 0; e < length; e += LANES) {
      widened(weights, offset + (long) e * Short.BYTES)
          .lanewise(VectorOperators.LSHL, 16)
          .reinterpretAsFloats()
          .intoArray(strip, e);
    }
  }

  /** Returns whether all weights are finite; infinities and NaNs become some finite number. */
  private static boolean readF16(MemorySegment weights, long offset, float[] strip, int length) {
    IntVector largest = IntVector.zero(INTS);
    for (int e = 0; e < length; e += LANES) {
      IntVector bits = widened(weights, offset + (long) e * Short.BYTES);
      IntVector magnitude = bits.and(0x7FFF);
      largest = largest.max(magnitude);
      magnitude
          .lanewise(VectorOperators.LSHL, 13)
          .reinterpretAsFloats()
          .mul(F16_TO_F32)
          .reinterpretAsInts()
          .or(bits.and(0x8000).lanewise(VectorOperators.LSHL, 16))
          .reinterpretAsFloats()
          .intoArray(strip, e);
    }
    return largest.reduceLanes(VectorOperators.MAX) < 0x7C00;
  }

  private static void writeF32(float[] strip, int length, MemorySegment merged, long offset) {
    for (int e = 0; e < length; e += LANES) {
      bits(strip, e).intoMemorySegment(merged, offset + (long) e * Float.BYTES, ORDER);
    }
  }

  private static void writeBf16(float[] strip, int length, MemorySegment merged, long offset) {
    for (int e = 0; e < length; e += LANES) {
      IntVector bits = bits(strip, e);
      IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
      narrowed(
          bits.add(0x7FFF).add(odd).lanewise(VectorOperators.LSHR, 16),
          merged,
          offset + (long) e * Short.BYTES);
    }
  }

  private static void writeF16(float[] strip, int length, MemorySegment merged, long offset) {
    for (int e = 0; e < length; e += LANES) {
      IntVector bits = bits(strip, e);
      IntVector magnitude = bits.and(Integer.MAX_VALUE);
      IntVector odd = magnitude.lanewise(VectorOperators.LSHR, 13).and(1);
      IntVector normal =
          magnitude.add(odd).sub((112 << 23) - 0xFFF).lanewise(VectorOperators.LSHR, 13);
      // 0.5 has the last place of a subnormal f16: adding it rounds there.
      IntVector subnormal =
          magnitude.reinterpretAsFloats().add(0.5f).reinterpretAsInts().sub(126 << 23);
      IntVector half =
          normal
              .blend(subnormal, magnitude.compare(VectorOperators.LT, 113 << 23))
              .or(bits.lanewise(VectorOperators.LSHR, 16).and(0x8000));
      narrowed(half, merged, offset + (long) e * Short.BYTES);
    }
  }

  private static IntVector bits(float[] strip, int e) {
    return FloatVector.fromArray(FLOATS, strip, e).reinterpretAsInts();
  }

  private static IntVector widened(MemorySegment weights, long offset) {
    return (IntVector)
        ShortVector.fromMemorySegment(HALF_SHORTS, weights, offset, ORDER)
            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
  }

  private static void narrowed(IntVector bits, MemorySegment merged, long offset) {
    ((ShortVector) bits.convertShape(VectorOperators.I2S, HALF_SHORTS, 0))
        .intoMemorySegment(merged, offset, ORDER);
  }
}

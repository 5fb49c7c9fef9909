package dev.nola.gpu;

import dev.nola.format.DType;
import java.lang.foreign.MemorySegment;

/** Rounds factors to the types of 16 bits. */
final class Halves {
  private Halves() {}

  /** Returns the elements in a type, rounded to nearest even. */
  static MemorySegment rounded(float[] values, DType dtype) {
    if (dtype == DType.F32) {
      return MemorySegment.ofArray(values);
    }
    short[] halves = new short[values.length];
    for (int i = 0; i < values.length; i++) {
      int bits = Float.floatToRawIntBits(values[i]);
      halves[i] =
          dtype == DType.F16
              ? Float.floatToFloat16(values[i])
              : (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
    }
    return MemorySegment.ofArray(halves);
  }
}

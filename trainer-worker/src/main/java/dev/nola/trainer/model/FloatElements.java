package dev.nola.trainer.model;

import dev.nola.format.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Converts elements between f32 and the types of files. */
public final class FloatElements {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private FloatElements() {}

  /**
   * Converts elements of any type to f32, exactly.
   *
   * @param type type of the elements
   * @param data elements, little-endian
   * @param target receives them, in the byte order of the machine
   */
  static void widen(DType type, MemorySegment data, MemorySegment target) {
    long count = data.byteSize() / type.bytes();
    switch (type) {
      case F32 ->
          MemorySegment.copy(data, FLOAT, 0, target, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, count);
      case F16 -> {
        for (long i = 0; i < count; i++) {
          target.setAtIndex(
              ValueLayout.JAVA_FLOAT_UNALIGNED, i, Float.float16ToFloat(data.getAtIndex(SHORT, i)));
        }
      }
      case BF16 -> {
        for (long i = 0; i < count; i++) {
          target.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i, data.getAtIndex(SHORT, i) << 16);
        }
      }
    }
  }

  /**
   * Converts elements of any type to f32, exactly.
   *
   * @param type type of the elements
   * @param data elements, little-endian
   * @return the elements
   * @throws ArithmeticException if there are more than 2³¹−1
   */
  public static float[] widened(DType type, MemorySegment data) {
    float[] values = new float[Math.toIntExact(data.byteSize() / type.bytes())];
    widen(type, data, MemorySegment.ofArray(values));
    return values;
  }

  /**
   * Converts elements of f32 to any type, rounded to nearest even.
   *
   * @param type type to convert to
   * @param values the elements
   * @return the elements, little-endian
   */
  public static MemorySegment narrowed(DType type, float[] values) {
    MemorySegment data = MemorySegment.ofArray(new byte[values.length * type.bytes()]);
    for (int i = 0; i < values.length; i++) {
      switch (type) {
        case F32 -> data.set(FLOAT, 4L * i, values[i]);
        case F16 -> data.set(SHORT, 2L * i, Float.floatToFloat16(values[i]));
        case BF16 -> {
          int bits = Float.floatToRawIntBits(values[i]);
          data.set(SHORT, 2L * i, (short) ((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16));
        }
      }
    }
    return data;
  }
}

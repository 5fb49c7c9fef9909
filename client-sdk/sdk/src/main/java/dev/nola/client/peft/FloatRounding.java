package dev.nola.client.peft;

import dev.nola.format.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Rounds f32 to a type, to nearest even, and encodes and decodes it little-endian. */
public final class FloatRounding {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort HALF =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private FloatRounding() {}

  /**
   * Rounds a value.
   *
   * @param value an f32
   * @param dtype the type
   * @return the value of the type that is nearest; infinite if it is beyond the largest
   */
  public static float round(float value, DType dtype) {
    return switch (dtype) {
      case F32 -> value;
      case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
      case BF16 -> Float.intBitsToFloat(toBfloat16(value) << Short.SIZE);
    };
  }

  /**
   * Writes values that {@link #round} has returned.
   *
   * @param rounded values of the type
   * @param dtype the type
   * @param bytes receives them, little-endian
   */
  public static void encode(float[] rounded, DType dtype, MemorySegment bytes) {
    for (int i = 0; i < rounded.length; i++) {
      encode(rounded[i], dtype, bytes, i);
    }
  }

  /**
   * Reads an element as f32, which has each value of the type.
   *
   * @param bytes elements of the type, little-endian
   * @param dtype the type
   * @param index number of the element
   * @return its value
   */
  public static float decode(MemorySegment bytes, DType dtype, long index) {
    long offset = index * dtype.bytes();
    return switch (dtype) {
      case F32 -> bytes.get(F32, offset);
      case F16 -> Float.float16ToFloat(bytes.get(HALF, offset));
      case BF16 -> Float.intBitsToFloat(bytes.get(HALF, offset) << Short.SIZE);
    };
  }

  /**
   * Writes a value that {@link #round} has returned.
   *
   * @param rounded a value of the type
   * @param dtype the type
   * @param bytes elements of the type, little-endian
   * @param index the element to write
   */
  public static void encode(float rounded, DType dtype, MemorySegment bytes, long index) {
    long offset = index * dtype.bytes();
    switch (dtype) {
      case F32 -> bytes.set(F32, offset, rounded);
      case F16 -> bytes.set(HALF, offset, Float.floatToFloat16(rounded));
      case BF16 -> bytes.set(HALF, offset, (short) toBfloat16(rounded));
    }
  }

  /** Returns the upper half of an f32, to nearest even. */
  private static int toBfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return Float.isNaN(value)
        ? bits >>> Short.SIZE | 0x40 // stays one when its lower half is cut off
        : bits + 0x7FFF + (bits >>> Short.SIZE & 1) >>> Short.SIZE;
  }
}

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

  /** Elements that are converted at a time, in loops that the JVM compiles to vector code. */
  private static final int BLOCK = 4096;

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
   * Rounds values.
   *
   * @param values of f32
   * @param dtype the type
   * @return the values of the type that are nearest; infinite where they are beyond the largest
   */
  public static float[] round(float[] values, DType dtype) {
    float[] rounded = new float[values.length];
    switch (dtype) {
      case F32 -> System.arraycopy(values, 0, rounded, 0, values.length);
      case F16 -> {
        for (int i = 0; i < values.length; i++) {
          rounded[i] = Float.float16ToFloat(Float.floatToFloat16(values[i]));
        }
      }
      case BF16 -> {
        for (int i = 0; i < values.length; i++) {
          rounded[i] = Float.intBitsToFloat(toBfloat16(values[i]) << Short.SIZE);
        }
      }
    }
    return rounded;
  }

  /**
   * Writes values that {@link #round} has returned.
   *
   * @param rounded values of the type
   * @param dtype the type
   * @param bytes receives them, little-endian
   */
  public static void encode(float[] rounded, DType dtype, MemorySegment bytes) {
    if (dtype == DType.F32) {
      MemorySegment.copy(rounded, 0, bytes, F32, 0, rounded.length);
      return;
    }
    short[] halves = new short[Math.min(rounded.length, BLOCK)];
    for (int done = 0; done < rounded.length; done += BLOCK) {
      int count = Math.min(BLOCK, rounded.length - done);
      if (dtype == DType.F16) {
        for (int i = 0; i < count; i++) {
          halves[i] = Float.floatToFloat16(rounded[done + i]);
        }
      } else {
        for (int i = 0; i < count; i++) {
          halves[i] = (short) toBfloat16(rounded[done + i]);
        }
      }
      MemorySegment.copy(halves, 0, bytes, HALF, (long) done * Short.BYTES, count);
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

package dev.nola.client.merge;

import dev.nola.client.peft.FloatRounding;
import dev.nola.format.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * Converts elements to another floating type, by way of f32, each time to nearest even: SPEC.md
 * section 7.3 rounds a merged weight to f32 first, and then to the type.
 *
 * @param source the type as safetensors writes it, one that {@link #isFloating}
 * @param target the type of the result
 */
record FloatConversion(String source, DType target) {
  private static final Map<String, Integer> BYTES = Map.of("F64", 8, "F32", 4, "F16", 2, "BF16", 2);

  private static final ValueLayout.OfDouble F64 =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort HALF =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Returns whether a type of safetensors can be converted. */
  static boolean isFloating(String type) {
    return BYTES.containsKey(type);
  }

  /** Returns the size of an element that is converted, in bytes. */
  int sourceBytes() {
    return BYTES.get(source);
  }

  /**
   * Converts elements to f32.
   *
   * @param elements of the source type
   * @param wide receives as many elements
   * @return the index of a finite element that is too large for f32; -1 if all fit
   */
  int widen(MemorySegment elements, MemorySegment wide) {
    int count = (int) (elements.byteSize() / sourceBytes());
    switch (source) {
      case "F64" -> {
        return narrow(elements, wide, count);
      }
      case "F32" -> wide.copyFrom(elements);
      case "F16" -> {
        for (int i = 0; i < count; i++) {
          short half = elements.get(HALF, (long) i * Short.BYTES);
          wide.set(F32, (long) i * Float.BYTES, Float.float16ToFloat(half));
        }
      }
      default -> {
        for (int i = 0; i < count; i++) {
          short half = elements.get(HALF, (long) i * Short.BYTES);
          wide.set(F32, (long) i * Float.BYTES, Float.intBitsToFloat(half << Short.SIZE));
        }
      }
    }
    return -1;
  }

  private static int narrow(MemorySegment doubles, MemorySegment floats, int count) {
    for (int i = 0; i < count; i++) {
      double value = doubles.get(F64, (long) i * Double.BYTES);
      float nearest = (float) value;
      if (Float.isInfinite(nearest) && Double.isFinite(value)) {
        return i;
      }
      floats.set(F32, (long) i * Float.BYTES, nearest);
    }
    return -1;
  }

  /**
   * Rounds elements of f32 to the target type.
   *
   * @param wide the elements
   * @param rounded receives as many elements
   * @return the index of a finite element that is too large for the type; -1 if all fit
   */
  int round(MemorySegment wide, MemorySegment rounded) {
    int count = (int) (wide.byteSize() / Float.BYTES);
    for (int i = 0; i < count; i++) {
      float value = wide.get(F32, (long) i * Float.BYTES);
      float nearest = FloatRounding.round(value, target);
      if (Float.isInfinite(nearest) && Float.isFinite(value)) {
        return i;
      }
      FloatRounding.encode(nearest, target, rounded, i);
    }
    return -1;
  }
}

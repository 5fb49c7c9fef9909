package dev.nola.client.dequantize;

import dev.nola.client.safetensors.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;

/** Reads stored floating-point elements as f32, which has each of their values. */
@FunctionalInterface
interface StoredFloats {
  /** Returns the element of an index. */
  float get(MemorySegment data, long index);

  /**
   * Returns how elements of a type are read.
   *
   * @param type as safetensors writes it
   * @return the reader; empty if the type has other values than f32
   */
  static Optional<StoredFloats> of(String type) {
    return Optional.ofNullable(
        switch (type) {
          case "F32" -> (data, index) -> data.get(Layouts.FLOAT, index * Float.BYTES);
          case "F16" ->
              (data, index) -> Float.float16ToFloat(data.get(Layouts.SHORT, index * Short.BYTES));
          case "BF16" ->
              (data, index) ->
                  Float.intBitsToFloat(data.get(Layouts.SHORT, index * Short.BYTES) << Short.SIZE);
          case "F8_E4M3" ->
              (data, index) ->
                  Layouts.E4M3[Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, index))];
          case "F8_E5M2" ->
              (data, index) ->
                  Float.float16ToFloat((short) (data.get(ValueLayout.JAVA_BYTE, index) << 8));
          case "F8_E8M0" ->
              (data, index) -> exponent(Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, index)));
          default -> null;
        });
  }

  /** Returns how elements of a tensor are read, if they have values of f32. */
  static Optional<Values> values(Tensor tensor) {
    return of(tensor.type())
        .map(
            floats -> {
              long columns = tensor.shape().isEmpty() ? 1 : tensor.shape().getLast();
              return (first, rows, into) -> {
                int count = Math.toIntExact(rows * columns);
                for (int i = 0; i < count; i++) {
                  into[i] = floats.get(tensor.data(), first * columns + i);
                }
              };
            });
  }

  /** Returns 2^(code − 127); NaN for 255. */
  private static float exponent(int code) {
    return code == 0xFF ? Float.NaN : (float) Math.scalb(1.0, code - 127);
  }

  /** Layouts of the elements, and a table. */
  final class Layouts {
    static final ValueLayout.OfFloat FLOAT =
        ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfShort SHORT =
        ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** The values of F8_E4M3 (without infinities) by code. */
    static final float[] E4M3 = new float[256];

    static {
      for (int code = 0; code < E4M3.length; code++) {
        int exponent = code >> 3 & 15;
        int fraction = code & 7;
        float magnitude =
            exponent == 0
                ? Math.scalb((float) fraction, -9)
                : Math.scalb((float) (8 + fraction), exponent - 10);
        E4M3[code] = (code & 0x7F) == 0x7F ? Float.NaN : code < 0x80 ? magnitude : -magnitude;
      }
    }

    private Layouts() {}
  }
}

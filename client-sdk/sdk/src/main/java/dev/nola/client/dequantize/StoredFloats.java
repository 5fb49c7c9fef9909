package dev.nola.client.dequantize;

import dev.nola.client.peft.FloatRounding;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
          case "F32" -> (data, index) -> FloatRounding.decode(data, DType.F32, index);
          case "F16" -> (data, index) -> FloatRounding.decode(data, DType.F16, index);
          case "BF16" -> (data, index) -> FloatRounding.decode(data, DType.BF16, index);
          case "F8_E4M3" ->
              (data, index) -> e4m3(Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, index)));
          case "F8_E5M2" ->
              (data, index) ->
                  Float.float16ToFloat((short) (data.get(ValueLayout.JAVA_BYTE, index) << 8));
          case "F8_E8M0" ->
              (data, index) -> exponent(Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, index)));
          default -> null;
        });
  }

  /** Describes a tensor of a type that {@link #of} does not know. */
  static String unreadable(String type) {
    return "has values or scales of type %s, which cannot be decoded; use the original model, with weights in F32, F16 or BF16"
        .formatted(type);
  }

  /** Returns how elements of a tensor are read, if they have values of f32. */
  static Optional<Values> values(Tensor tensor) {
    return of(tensor.type())
        .map(
            floats -> {
              long columns = tensor.shape().isEmpty() ? 1 : tensor.shape().getLast();
              return (first, rows, target) -> {
                int count = Math.toIntExact(rows * columns);
                for (int i = 0; i < count; i++) {
                  target[i] = floats.get(tensor.data(), first * columns + i);
                }
              };
            });
  }

  /** Returns 2^(code − 127); NaN for 255. */
  private static float exponent(int code) {
    return code == 0xFF ? Float.NaN : (float) Math.scalb(1.0, code - 127);
  }

  /** Returns the value of a code of F8_E4M3, which has no infinities. */
  private static float e4m3(int code) {
    int exponent = code >> 3 & 15;
    int fraction = code & 7;
    if (exponent == 15 && fraction == 7) {
      return Float.NaN;
    }
    float magnitude =
        exponent == 0
            ? Math.scalb((float) fraction, -9)
            : Math.scalb((float) (8 + fraction), exponent - 10);
    return code < 0x80 ? magnitude : -magnitude;
  }
}

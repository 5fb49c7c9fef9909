package dev.nola.client.lora;

import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/** Reads the elements of tensors as f32. */
final class Elements {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort HALF =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Elements() {}

  /**
   * Reads all elements.
   *
   * @param tensor of F32, F16 or BF16, with no more elements than an array can have
   * @param wrong receives a sentence if an element is not finite
   */
  static float[] read(Tensor tensor, List<String> wrong) {
    DType dtype = tensor.adaptableType().orElseThrow();
    float[] elements = new float[Math.toIntExact(tensor.elements())];
    for (int i = 0; i < elements.length; i++) {
      elements[i] = get(tensor.data(), dtype, i);
    }
    requireFinite(tensor, wrong);
    return elements;
  }

  /**
   * Requires all elements to be finite.
   *
   * @param tensor of F32, F16 or BF16
   * @param wrong receives a sentence if one is not
   */
  static void requireFinite(Tensor tensor, List<String> wrong) {
    DType dtype = tensor.adaptableType().orElseThrow();
    long count = tensor.elements();
    for (long i = 0; i < count; i++) {
      float value = get(tensor.data(), dtype, i);
      if (!Float.isFinite(value)) {
        wrong.add("%s: element %d is %s; must be finite".formatted(tensor.name(), i, value));
        return;
      }
    }
  }

  /** Reads one element. */
  static float get(MemorySegment data, DType dtype, long index) {
    return switch (dtype) {
      case F32 -> data.get(F32, index * Float.BYTES);
      case F16 -> Float.float16ToFloat(data.get(HALF, index * Short.BYTES));
      case BF16 -> Float.intBitsToFloat(data.get(HALF, index * Short.BYTES) << Short.SIZE);
    };
  }
}

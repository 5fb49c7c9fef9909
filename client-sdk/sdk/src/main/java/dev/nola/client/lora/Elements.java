package dev.nola.client.lora;

import dev.nola.client.peft.FloatRounding;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DType;
import java.util.List;

/** Reads the elements of tensors as f32. */
final class Elements {
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
      elements[i] = FloatRounding.decode(tensor.data(), dtype, i);
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
      float value = FloatRounding.decode(tensor.data(), dtype, i);
      if (!Float.isFinite(value)) {
        wrong.add("%s: element %d is %s; must be finite".formatted(tensor.name(), i, value));
        return;
      }
    }
  }
}

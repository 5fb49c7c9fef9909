package dev.nola.client.peft;

import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DenseTensor;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A tensor that is stored whole.
 *
 * @param module path of its module in the loaded model
 * @param parameter its name in the module, such as {@code weight}
 * @param type its type as safetensors writes it
 * @param shape its dimensions
 * @param data its elements
 */
record SavedTensor(
    String module, String parameter, String type, List<Long> shape, MemorySegment data) {
  static SavedTensor of(String module, DenseTensor tensor) {
    return new SavedTensor(
        module,
        ModulePaths.lastPart(tensor.name()),
        tensor.dtype().name(),
        tensor.shape().stream().map(Integer::longValue).toList(),
        tensor.data());
  }

  static SavedTensor of(String module, Tensor tensor) {
    return new SavedTensor(
        module, ModulePaths.lastPart(tensor.name()), tensor.type(), tensor.shape(), tensor.data());
  }

  Slot slot() {
    return new Slot(ExportPlan.KEY_PREFIX + module + "." + parameter, type, shape, data.byteSize());
  }
}

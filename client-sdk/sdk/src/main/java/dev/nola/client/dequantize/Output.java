package dev.nola.client.dequantize;

import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DType;
import java.util.List;

/** A tensor of the plain model. */
sealed interface Output {
  /** Returns its place in the file that is written. */
  Slot slot();

  /**
   * A tensor that stays as it is.
   *
   * @param tensor the tensor
   */
  record Copied(Tensor tensor) implements Output {
    @Override
    public Slot slot() {
      return new Slot(tensor.name(), tensor.type(), tensor.shape(), tensor.data().byteSize());
    }
  }

  /**
   * A tensor whose elements are computed.
   *
   * @param name its name
   * @param shape its dimensions
   * @param dtype the type to write
   * @param values its elements
   */
  record Decoded(String name, List<Long> shape, DType dtype, Values values) implements Output {
    long rows() {
      return shape.subList(0, Math.max(0, shape.size() - 1)).stream()
          .reduce(1L, Math::multiplyExact);
    }

    long columns() {
      return shape.isEmpty() ? 1 : shape.getLast();
    }

    @Override
    public Slot slot() {
      return new Slot(name, dtype.name(), shape, rows() * columns() * dtype.bytes());
    }
  }
}

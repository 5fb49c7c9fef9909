package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.trainer.model.Tensors;
import java.nio.FloatBuffer;
import java.util.function.Consumer;

/** An array of one step that gradients are computed for. */
final class Leaf {
  private final NDArray array;

  Leaf(NDManager step, float[] values, boolean record, long... shape) {
    this(Tensors.create(step, values, shape), record);
  }

  /** Makes a leaf of an array that the step owns. */
  Leaf(NDArray array, boolean record) {
    this.array = array;
    if (record) {
      array.setRequiresGradient(true);
    }
  }

  NDArray array() {
    return array;
  }

  /** Shows the gradient of the loss, an array like the leaf's, where it is. */
  void takeGradient(Consumer<NDArray> taker) {
    try (NDArray gradient = array.getGradient()) {
      taker.accept(gradient);
    }
  }

  /** Shows the gradient of the loss, row-major; valid only until the reader returns. */
  void readGradient(Consumer<FloatBuffer> reader) {
    takeGradient(gradient -> reader.accept(gradient.toByteBuffer(true).asFloatBuffer()));
  }
}

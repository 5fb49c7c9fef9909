package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.trainer.model.Tensors;

/** An array of one step that gradients are computed for. */
final class Leaf {
  private final NDArray array;

  Leaf(NDManager step, float[] values, boolean record, long... shape) {
    array = Tensors.create(step, values, shape);
    if (record) {
      array.setRequiresGradient(true);
    }
  }

  NDArray array() {
    return array;
  }

  /** Returns the gradient of the loss, row-major. */
  float[] gradient() {
    try (NDArray gradient = array.getGradient()) {
      return gradient.toFloatArray();
    }
  }
}

package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.format.Codes;
import dev.nola.generator.Side;
import dev.nola.gpu.TrainingFactors;
import dev.nola.trainer.djl.TorchMemory;
import dev.nola.trainer.model.Tensors;

/**
 * A factor that a GPU computes straight for PyTorch.
 *
 * @param factors all factors of the model
 * @param layer index of its layer there
 * @param side its side there
 */
record GpuFactor(TrainingFactors factors, int layer, Side side) {
  void set(Codes codes, float scale) {
    factors.set(layer, side, codes, scale);
  }

  /** Returns a copy of the factor, rows×cols, that the step owns. */
  NDArray array(NDManager step, long rows, long cols) {
    NDArray array = Tensors.uninitialized(step, rows, cols);
    factors.copyFactor(layer, side, TorchMemory.address(array));
    return array;
  }

  /** Takes the gradient, an array like the factor's. */
  void take(NDArray gradient) {
    factors.takeGradient(layer, side, TorchMemory.address(gradient));
  }

  /** Returns the products of the basis with the gradient. */
  double[] products() {
    return factors.products(layer, side);
  }
}

package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.kernel.Kernel;
import org.jspecify.annotations.Nullable;

/**
 * A factor that kernels compute in every step; the transposed product turns its gradient into the
 * coefficients'. No basis is stored.
 */
final class GeneratedFactor extends Factor {
  private float[] values = {};
  private float[] gradient = {};
  private @Nullable Leaf leaf;

  GeneratedFactor(BasisSide side, int bits, double gain) {
    super(side, bits, gain);
  }

  @Override
  void prepare(Kernel kernel) {
    values = side().factor(kernel, bits, gain);
  }

  @Override
  void begin(NDManager step, boolean record, long rows, long cols) {
    leaf = new Leaf(step, values, record, rows, cols);
  }

  @Override
  NDArray array() {
    return leaf.array();
  }

  @Override
  void collect() {
    gradient = leaf.gradient();
  }

  @Override
  void backward(Kernel kernel) {
    side().backward(kernel, gradient, gain);
  }
}

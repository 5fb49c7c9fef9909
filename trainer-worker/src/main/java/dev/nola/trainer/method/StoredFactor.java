package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.kernel.Kernel;
import org.jspecify.annotations.Nullable;

/**
 * A factor as in the paper's own code: its basis is in memory as a k×len matrix of f32, and PyTorch
 * multiplies and differentiates. Sums are rounded, so that training takes another path than with a
 * {@link GeneratedFactor}; the resulting file is of the same kind.
 */
final class StoredFactor extends Factor {
  private final NDArray basis;
  private float[] values = {};
  private final float[] gradient;
  private @Nullable Leaf leaf;
  private @Nullable NDArray factor;

  /**
   * Creates a factor.
   *
   * @param side coefficients and basis
   * @param bits width of the codes that the coefficients are rounded to
   * @param gain number that the factor is multiplied by
   * @param basis the basis in memory, b_i[e]/(√k·σ), k×len
   */
  StoredFactor(BasisSide side, int bits, double gain, NDArray basis) {
    super(side, bits, gain);
    this.basis = basis;
    gradient = new float[side.coefficients().values().length];
  }

  @Override
  void prepare(Kernel kernel) {
    values = side().rounded(bits, gain);
  }

  @Override
  void begin(NDManager step, boolean record, long rows, long cols) {
    leaf = new Leaf(step, values, record, 1, values.length);
    factor = leaf.array().matMul(basis).reshape(rows, cols);
  }

  @Override
  NDArray array() {
    return factor;
  }

  @Override
  void collect() {
    leaf.readGradient(read -> read.get(gradient));
  }

  @Override
  void backward(Kernel kernel) {
    float[] sum = side().coefficients().gradient();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += (float) (gradient[i] * gain);
    }
  }
}

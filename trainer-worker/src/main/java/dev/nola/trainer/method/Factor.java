package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.kernel.Kernel;

/**
 * A factor of a target in a step, made of coefficients, to which its gradient is taken back. The
 * methods are called as {@link Adaptation}'s are.
 */
abstract sealed class Factor permits GeneratedFactor, StoredFactor {
  private final BasisSide side;

  /** Width of the codes that the coefficients are taken for. */
  final int bits;

  /** What the factor is multiplied by, beside its normalisation. */
  final double gain;

  Factor(BasisSide side, int bits, double gain) {
    this.side = side;
    this.bits = bits;
    this.gain = gain;
  }

  /** Its coefficients and basis. */
  final BasisSide side() {
    return side;
  }

  /** Computes what does not need PyTorch. */
  abstract void prepare(Kernel kernel);

  /** Makes the arrays of a step. */
  abstract void begin(NDManager step, boolean record, long rows, long cols);

  /** The factor, rows×cols; after {@link #begin}. */
  abstract NDArray array();

  /** Reads gradients from arrays. */
  abstract void collect();

  /** Adds to the coefficients' gradient. */
  abstract void backward(Kernel kernel);
}

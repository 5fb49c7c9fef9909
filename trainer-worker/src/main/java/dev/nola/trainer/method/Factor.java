package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.kernel.Kernel;

/**
 * A factor of a target in a step: computed from coefficients, whose gradient follows from its own.
 * The methods are called in the order of {@link Adaptation}'s.
 */
abstract sealed class Factor permits GeneratedFactor, StoredFactor {
  private final BasisSide side;

  /** Width of the codes that the coefficients are rounded to, in bits. */
  int bits;

  /** Number that the factor is multiplied by in addition to its normalisation. */
  final double gain;

  Factor(BasisSide side, int bits, double gain) {
    this.side = side;
    this.bits = bits;
    this.gain = gain;
  }

  /** Returns coefficients and basis. */
  final BasisSide side() {
    return side;
  }

  /** Changes the width of the codes; returns whether it was another one. */
  final boolean roundTo(int width) {
    boolean changes = width != bits;
    bits = width;
    return changes;
  }

  /** Computes what does not need PyTorch. */
  abstract void prepare(Kernel kernel);

  /** Makes the arrays of a step. */
  abstract void begin(NDManager step, boolean record, long rows, long cols);

  /** Returns the factor, rows×cols; after {@link #begin}. */
  abstract NDArray array();

  /** Reads gradients from arrays. */
  abstract void collect();

  /** Adds what follows from the gradient that was read to the coefficients'. */
  abstract void backward(Kernel kernel);
}

package dev.nola.trainer.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.model.Tensors;

/** Cross entropy. */
final class Loss {
  private Loss() {}

  /** Returns the sum over all targets of −log of the target's probability. */
  static NDArray sum(NDArray logits, Minibatch batch) {
    try (NDArray logarithms = logits.logSoftmax(-1)) { // as large as the logits
      return logarithms.gather(batch.targets().expandDims(-1), -1).sum().neg();
    }
  }

  /** Returns the share of a batch in the mean over {@code count} targets. */
  static NDArray mean(NDArray logits, Minibatch batch, long count) {
    return sum(logits, batch).div(Tensors.scalar(logits.getManager(), count));
  }

  /**
   * Returns the share of a batch in the mean over {@code count} targets with smoothed labels, as
   * {@code cross_entropy} of PyTorch: every class has the probability ε/C, the target 1 − ε more.
   *
   * @param logits N×C
   * @param smoothing ε, from 0 to below 1
   */
  static NDArray mean(NDArray logits, Minibatch batch, long count, double smoothing) {
    if (smoothing == 0) {
      return mean(logits, batch, count);
    }
    NDManager step = logits.getManager();
    long classes = logits.getShape().get(logits.getShape().dimension() - 1);
    try (NDArray logarithms = logits.logSoftmax(-1)) { // as large as the logits
      NDArray ofTargets = logarithms.gather(batch.targets().expandDims(-1), -1).sum();
      return ofTargets
          .mul(Tensors.scalar(step, 1 - smoothing))
          .add(logarithms.sum().mul(Tensors.scalar(step, smoothing / classes)))
          .neg()
          .div(Tensors.scalar(step, count));
    }
  }

  /** Counts the targets that have the largest logit. */
  static double hits(NDArray logits, Minibatch batch) {
    return logits.argMax(-1).eq(batch.targets()).toType(DataType.FLOAT32, false).sum().getFloat();
  }
}

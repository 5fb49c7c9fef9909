package dev.nola.trainer.training;

import ai.djl.ndarray.NDArray;
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

  /** Counts the targets that have the largest logit. */
  static double hits(NDArray logits, Minibatch batch) {
    return logits.argMax(-1).eq(batch.targets()).toType(DataType.FLOAT32, false).sum().getFloat();
  }
}

package dev.nola.trainer.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.model.Tensors;

/** Cross entropy. */
final class Loss {
  private Loss() {}

  /** The sum over all targets that count of −log of the probability that the right one has. */
  static NDArray sum(NDArray logits, Minibatch batch) {
    NDArray right = logits.logSoftmax(-1).gather(batch.targets().expandDims(-1), -1).squeeze(-1);
    return right.mul(batch.weights()).sum().neg();
  }

  /** The share of a batch in the mean over {@code count} targets. */
  static NDArray mean(NDArray logits, Minibatch batch, long count) {
    return sum(logits, batch).div(Tensors.scalar(logits.getManager(), count));
  }

  /** How many targets that count have the largest logit. */
  static double hits(NDArray logits, Minibatch batch) {
    NDArray equal = logits.argMax(-1).eq(batch.targets()).toType(DataType.FLOAT32, false);
    return equal.mul(batch.weights()).sum().getFloat();
  }
}

package dev.nola.trainer.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.model.Network;
import dev.nola.trainer.model.Tensors;
import java.util.List;

/**
 * How good weights are on examples.
 *
 * @param loss mean cross entropy of the targets that count, in nats
 * @param accuracy share of them that have the largest logit
 * @param targets how many count
 */
public record Evaluation(double loss, double accuracy, long targets) {
  /** e to the loss. */
  public double perplexity() {
    return StrictMath.exp(loss);
  }

  /**
   * Evaluates; the examples' order and the size of batches change nothing but rounding.
   *
   * @param batchSize examples at a time
   */
  public static Evaluation of(
      Network network, AdaptedWeights weights, List<? extends Example> examples, int batchSize)
      throws InterruptedException {
    double loss = 0;
    double hits = 0;
    long count = 0;
    weights.prepare();
    Tensors.recordGradients(false);
    for (int from = 0; from < examples.size(); from += batchSize) {
      if (Thread.interrupted()) {
        throw new InterruptedException("the evaluation was interrupted");
      }
      try (NDManager step = Tensors.newManager()) {
        weights.begin(step, false);
        Minibatch batch =
            Minibatch.of(step, examples.subList(from, Math.min(examples.size(), from + batchSize)));
        NDArray logits = network.logits(batch.batch(), weights);
        loss += Loss.sum(logits, batch).getFloat();
        hits += Loss.hits(logits, batch);
        count += batch.count();
      }
    }
    return new Evaluation(loss / count, hits / count, count);
  }
}

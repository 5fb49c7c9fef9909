package dev.nola.trainer.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.model.Network;
import dev.nola.trainer.model.Tensors;
import java.io.IOException;
import java.util.List;

/**
 * The quality of weights, measured on examples.
 *
 * @param loss mean cross entropy of the targets that count, in nats
 * @param accuracy share of these targets that have the largest logit, 0 to 1
 * @param targets number of targets that count
 */
public record Evaluation(double loss, double accuracy, long targets) {
  /**
   * Returns the perplexity.
   *
   * @return e to the loss
   */
  public double perplexity() {
    return StrictMath.exp(loss);
  }

  /**
   * Evaluates weights; the order of examples and the size of batches only affect rounding.
   *
   * @param network the model
   * @param weights its weights
   * @param examples examples of one kind, at least one
   * @param batchSize number of examples at a time
   * @return loss and accuracy over all examples
   * @throws IOException if the file of an image cannot be read or decoded
   * @throws InterruptedException if the thread is interrupted
   */
  public static Evaluation of(
      Network network, AdaptedWeights weights, List<? extends Example> examples, int batchSize)
      throws IOException, InterruptedException {
    double loss = 0;
    double hits = 0;
    long count = 0;
    weights.prepare();
    Tensors.recordGradients(false);
    for (int start = 0; start < examples.size(); start += batchSize) {
      if (Thread.interrupted()) {
        throw new InterruptedException("the evaluation was interrupted");
      }
      try (NDManager step = Tensors.newManager()) {
        weights.begin(step, false);
        int end = Math.min(examples.size(), start + batchSize);
        Minibatch batch = Minibatch.of(step, examples.subList(start, end));
        NDArray logits = network.logits(batch.batch(), weights);
        loss += Loss.sum(logits, batch).getFloat();
        hits += Loss.hits(logits, batch);
        count += batch.count();
      }
    }
    return new Evaluation(loss / count, hits / count, count);
  }
}

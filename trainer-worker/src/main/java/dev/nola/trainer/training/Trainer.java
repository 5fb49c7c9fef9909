package dev.nola.trainer.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.job.Schedule;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.model.Network;
import dev.nola.trainer.model.Tensors;
import java.util.List;

/** Takes training steps. The batch of a step depends on its number and the seed alone. */
final class Trainer {
  private final Network network;
  private final AdaptedWeights weights;
  private final BatchOrder order;
  private final AdamW optimizer;
  private final Schedule schedule;
  private final Gradient gradient;

  /**
   * Creates a trainer.
   *
   * @param network the model
   * @param weights its weights, of which the adapted ones are trained
   * @param order batches of each step
   * @param optimizer optimizer of the weights' parameters
   * @param schedule learning rate of each step
   * @param gradient how the gradient of a step is computed
   */
  Trainer(
      Network network,
      AdaptedWeights weights,
      BatchOrder order,
      AdamW optimizer,
      Schedule schedule,
      Gradient gradient) {
    this.network = network;
    this.weights = weights;
    this.order = order;
    this.optimizer = optimizer;
    this.schedule = schedule;
    this.gradient = gradient;
  }

  /**
   * How the gradient of a step is computed.
   *
   * @param microBatch examples in memory at a time; the gradients of a larger batch are added up
   * @param labelSmoothing probability that the loss spreads over all classes, from 0 to below 1
   */
  record Gradient(int microBatch, double labelSmoothing) {}

  /**
   * The result of a step.
   *
   * @param loss mean loss over the targets of the batch, before the step
   * @param learningRate learning rate of the step
   * @param gradientNorm norm of the gradient, before clipping
   */
  record Step(double loss, double learningRate, double gradientNorm) {}

  /** Takes a step, numbered from 1. */
  Step step(long number) {
    List<Example> batch = order.batch(number);
    long count = batch.stream().mapToLong(Minibatch::targetCount).sum();
    double loss = 0;
    weights.prepare();
    for (int start = 0; start < batch.size(); start += gradient.microBatch) {
      int end = Math.min(batch.size(), start + gradient.microBatch);
      weights.dropAt(number, start);
      loss += backward(batch.subList(start, end), count);
    }
    double rate = schedule.learningRate(number);
    double norm = optimizer.step(number, rate);
    return new Step(loss, rate, norm);
  }

  private double backward(List<Example> part, long count) {
    try (NDManager step = Tensors.newManager()) {
      Tensors.recordGradients(true);
      weights.begin(step, true);
      Minibatch batch = Minibatch.of(step, part);
      NDArray loss =
          Loss.mean(network.logits(batch.batch(), weights), batch, count, gradient.labelSmoothing);
      Tensors.backward(loss);
      Tensors.recordGradients(false);
      weights.collect();
      return loss.getFloat();
    }
  }
}

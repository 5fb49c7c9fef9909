package dev.nola.trainer.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.job.Schedule;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.model.Network;
import dev.nola.trainer.model.Tensors;
import java.util.Arrays;
import java.util.List;

/** Takes steps. The batch of a step follows from its number and the seed alone. */
final class Trainer {
  private final Network network;
  private final AdaptedWeights weights;
  private final List<? extends Example> examples;
  private final BatchOrder order;
  private final AdamW optimizer;
  private final Schedule schedule;
  private final int microBatch;

  /**
   * @param microBatch examples that are in memory at a time; of a batch with more, gradients are
   *     added up
   */
  Trainer(
      Network network,
      AdaptedWeights weights,
      List<? extends Example> examples,
      BatchOrder order,
      AdamW optimizer,
      Schedule schedule,
      int microBatch) {
    this.network = network;
    this.weights = weights;
    this.examples = examples;
    this.order = order;
    this.optimizer = optimizer;
    this.schedule = schedule;
    this.microBatch = microBatch;
  }

  /**
   * What a step did.
   *
   * @param loss mean over the targets of the batch, before the step
   * @param gradientNorm before clipping
   */
  record Step(double loss, double learningRate, double gradientNorm) {}

  /** Takes a step, numbered from 1. */
  Step step(long number) {
    int[] batch = order.batch(number);
    long count = 0;
    for (int index : batch) {
      count += Minibatch.countOf(examples.get(index));
    }
    double loss = 0;
    weights.prepare();
    for (int from = 0; from < batch.length; from += microBatch) {
      List<? extends Example> part =
          Arrays.stream(batch, from, Math.min(batch.length, from + microBatch))
              .mapToObj(examples::get)
              .toList();
      loss += backward(part, count);
    }
    double rate = schedule.at(number);
    double norm = optimizer.step(number, rate);
    return new Step(loss, rate, norm);
  }

  private double backward(List<? extends Example> part, long count) {
    try (NDManager step = Tensors.newManager()) {
      Tensors.recordGradients(true);
      weights.begin(step, true);
      Minibatch batch = Minibatch.of(step, part);
      NDArray loss = Loss.mean(network.logits(batch.batch(), weights), batch, count);
      Tensors.backward(loss);
      Tensors.recordGradients(false);
      weights.collect();
      return loss.getFloat();
    }
  }
}

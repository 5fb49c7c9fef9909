package dev.nola.trainer.training;

import dev.nola.trainer.data.Example;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.job.Schedule;
import java.io.IOException;
import java.util.List;

/** Takes training steps. The batch of a step depends on its number and the seed alone. */
final class Trainer {
  private final Backpropagation backpropagation;
  private final BatchOrder order;
  private final AdamW optimizer;
  private final Schedule schedule;
  private final int microBatch;

  /**
   * Creates a trainer.
   *
   * @param backpropagation computes the gradients of the weights' parameters
   * @param order batches of each step
   * @param optimizer optimizer of the weights' parameters
   * @param schedule learning rate of each step
   * @param microBatch examples in memory at a time; the gradients of a larger batch are added up
   */
  Trainer(
      Backpropagation backpropagation,
      BatchOrder order,
      AdamW optimizer,
      Schedule schedule,
      int microBatch) {
    this.backpropagation = backpropagation;
    this.order = order;
    this.optimizer = optimizer;
    this.schedule = schedule;
    this.microBatch = microBatch;
  }

  /**
   * The result of a step.
   *
   * @param loss mean loss over the targets of the batch, before the step
   * @param learningRate learning rate of the step
   * @param gradientNorm norm of the gradient, before clipping
   */
  record Step(double loss, double learningRate, double gradientNorm) {}

  /** Takes a step, numbered from 1. */
  Step step(long number) throws IOException {
    List<Example> batch = order.batch(number);
    long count = batch.stream().mapToLong(Minibatch::targetCount).sum();
    double loss = 0;
    backpropagation.weights().prepare();
    for (int start = 0; start < batch.size(); start += microBatch) {
      int end = Math.min(batch.size(), start + microBatch);
      backpropagation.weights().dropAt(number, start);
      loss += backpropagation.add(batch.subList(start, end), count);
    }
    double rate = schedule.learningRate(number);
    double norm = optimizer.step(number, rate);
    return new Step(loss, rate, norm);
  }
}

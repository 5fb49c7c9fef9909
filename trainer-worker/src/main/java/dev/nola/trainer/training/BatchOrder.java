package dev.nola.trainer.training;

import dev.nola.trainer.data.Example;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Divides examples into batches: each epoch goes through all of them once, in an order of its own;
 * the last batch of an epoch may be smaller.
 */
final class BatchOrder {
  private final List<? extends Example> examples;
  private final int batchSize;
  private final long seed;
  private long shuffledEpoch = -1;
  private int[] order = {};

  /**
   * Creates the order of a run.
   *
   * @param examples all examples
   * @param batchSize number of examples of a batch
   * @param seed seed of the orders
   */
  BatchOrder(List<? extends Example> examples, int batchSize, long seed) {
    this.examples = examples;
    this.batchSize = batchSize;
    this.seed = seed;
  }

  private long batchesPerEpoch() {
    return Math.ceilDiv(examples.size(), batchSize);
  }

  /** Returns the batch of a step; steps are numbered from 1. */
  List<Example> batch(long step) {
    long epoch = (step - 1) / batchesPerEpoch();
    int start = (int) ((step - 1) % batchesPerEpoch()) * batchSize;
    if (epoch != shuffledEpoch) {
      order = shuffled(epoch);
      shuffledEpoch = epoch;
    }
    List<Example> batch = new ArrayList<>();
    for (int i = start; i < Math.min(start + batchSize, order.length); i++) {
      batch.add(examples.get(order[i]).drawn(drawSeed(epoch, order[i])));
    }
    return batch;
  }

  /** Returns the seed of what an epoch draws of an example, whichever batch it is in. */
  private long drawSeed(long epoch, int example) {
    return (seed * 1_000_003 + epoch) * 1_000_003 + example;
  }

  private int[] shuffled(long epoch) {
    Random random = new Random(seed * 1_000_003 + epoch);
    int[] shuffled = new int[examples.size()];
    for (int i = 0; i < shuffled.length; i++) {
      int j = random.nextInt(i + 1);
      shuffled[i] = shuffled[j];
      shuffled[j] = i;
    }
    return shuffled;
  }
}

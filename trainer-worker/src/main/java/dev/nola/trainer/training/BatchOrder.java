package dev.nola.trainer.training;

import java.util.Random;

/**
 * Which examples are in which batch: each epoch goes through all of them once, in an order of its
 * own; the last batch of an epoch may be smaller.
 */
final class BatchOrder {
  private final int examples;
  private final int batchSize;
  private final long seed;
  private long epochAtHand = -1;
  private int[] order = {};

  BatchOrder(int examples, int batchSize, long seed) {
    this.examples = examples;
    this.batchSize = batchSize;
    this.seed = seed;
  }

  long batchesPerEpoch() {
    return Math.ceilDiv(examples, batchSize);
  }

  /** Numbers of the examples of a step; steps are numbered from 1. */
  int[] batch(long step) {
    long epoch = (step - 1) / batchesPerEpoch();
    int from = (int) ((step - 1) % batchesPerEpoch()) * batchSize;
    if (epoch != epochAtHand) {
      order = shuffled(epoch);
      epochAtHand = epoch;
    }
    int[] batch = new int[Math.min(batchSize, examples - from)];
    System.arraycopy(order, from, batch, 0, batch.length);
    return batch;
  }

  private int[] shuffled(long epoch) {
    Random random = new Random(seed * 1_000_003 + epoch);
    int[] shuffled = new int[examples];
    for (int i = 0; i < examples; i++) {
      int j = random.nextInt(i + 1);
      shuffled[i] = shuffled[j];
      shuffled[j] = i;
    }
    return shuffled;
  }
}

package dev.nola.trainer.method;

import java.util.Random;

/**
 * Draws the initial values of parameters. Each parameter has a generator of its own, in the order
 * in which they are asked for; the Java specification fixes their sequences.
 */
final class InitialValues {
  private final long seed;
  private int parameters;

  /**
   * Begins with the first parameter.
   *
   * @param seed seed of the run
   */
  InitialValues(long seed) {
    this.seed = seed;
  }

  /** Draws values of a normal distribution with mean 0. */
  float[] gaussian(int count, double deviation) {
    Random random = next();
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    return values;
  }

  /** Draws values that are uniform in ±{@code bound}. */
  float[] uniform(int count, double bound) {
    Random random = next();
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (bound * (2 * random.nextDouble() - 1));
    }
    return values;
  }

  private Random next() {
    return new Random(seed * 31 + parameters++);
  }
}

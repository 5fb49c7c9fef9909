package dev.nola.trainer.job;

/**
 * The learning rate of each step: a line from 0 up to the peak over the warm-up, then constant, a
 * line down to 0, or half a cosine down to 0.
 *
 * @param shape after the warm-up
 * @param peak the largest learning rate
 * @param warmup steps of the warm-up
 * @param steps all of them
 */
public record Schedule(Shape shape, double peak, long warmup, long steps) {
  /** After the warm-up. */
  public enum Shape {
    /** Stays at the peak. */
    CONSTANT,
    /** Falls to 0 along a line. */
    LINEAR,
    /** Falls to 0 along half a cosine. */
    COSINE
  }

  /** The learning rate of a step, numbered from 1. */
  public double at(long step) {
    if (step <= warmup) {
      return peak * step / warmup;
    }
    double done = (double) (step - warmup) / Math.max(1, steps - warmup);
    return switch (shape) {
      case CONSTANT -> peak;
      case LINEAR -> peak * (1 - done);
      case COSINE -> peak * (1 + StrictMath.cos(Math.PI * done)) / 2;
    };
  }
}

package dev.nola.trainer.job;

/**
 * The learning rate of each step: a line from 0 up to the peak over the warm-up, then constant, a
 * line down to 0, or half a cosine down to 0.
 *
 * @param shape course after the warm-up
 * @param peak the largest learning rate
 * @param warmup number of steps of the warm-up
 * @param steps number of steps of the run
 */
public record Schedule(Shape shape, double peak, long warmup, long steps) {
  /** The course of the learning rate after the warm-up. */
  public enum Shape {
    /** Stays at the peak. */
    CONSTANT,
    /** Falls to 0 along a line. */
    LINEAR,
    /** Falls to 0 along half a cosine. */
    COSINE
  }

  /**
   * Returns the learning rate of a step.
   *
   * @param step number of the step, from 1
   * @return its learning rate
   */
  public double learningRate(long step) {
    if (step <= warmup) {
      return peak * step / warmup;
    }
    double progress = (double) (step - warmup) / Math.max(1, steps - warmup);
    return switch (shape) {
      case CONSTANT -> peak;
      case LINEAR -> peak * (1 - progress);
      case COSINE -> peak * (1 + StrictMath.cos(Math.PI * progress)) / 2;
    };
  }
}

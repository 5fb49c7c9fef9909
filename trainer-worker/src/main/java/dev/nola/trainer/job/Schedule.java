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
  /**
   * Length of the warm-up.
   *
   * @param steps number of steps; 0 if a share is set
   * @param share share of the steps of the run, rounded down to a whole step; 0 if their number is
   *     set
   */
  public record Warmup(long steps, double share) {
    static Warmup ofSteps(long steps) {
      return new Warmup(steps, 0);
    }

    static Warmup ofShare(double share) {
      return new Warmup(0, share);
    }

    /**
     * Returns the number of steps in a run.
     *
     * @param total number of steps of the run
     * @return number of steps of the warm-up
     */
    public long of(long total) {
      return share == 0 ? steps : (long) (share * total);
    }
  }

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

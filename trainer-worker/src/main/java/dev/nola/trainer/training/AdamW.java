package dev.nola.trainer.training;

import dev.nola.trainer.job.TrainingJob.AdamWConstants;
import dev.nola.trainer.method.Parameter;
import java.util.List;

/** AdamW (Loshchilov and Hutter, 2019); the gradient's norm is clipped first. */
final class AdamW {
  private final AdamWConstants settings;
  private final List<Parameter> parameters;
  private final float[][] means;
  private final float[][] squares;

  AdamW(AdamWConstants settings, List<Parameter> parameters) {
    this.settings = settings;
    this.parameters = parameters;
    this.means = new float[parameters.size()][];
    this.squares = new float[parameters.size()][];
    for (int p = 0; p < means.length; p++) {
      means[p] = new float[parameters.get(p).values().length];
      squares[p] = new float[means[p].length];
    }
  }

  /** Returns the first moments by parameter, not copies. */
  float[][] means() {
    return means;
  }

  /** Returns the second moments by parameter, not copies. */
  float[][] squares() {
    return squares;
  }

  /**
   * Changes the parameters by their gradients, and clears these.
   *
   * @param step number of the step, from 1
   * @param learningRate learning rate of the step
   * @return the gradient's norm before it was clipped
   */
  double step(long step, double learningRate) {
    double norm = norm();
    double factor = settings.clip() > 0 && norm > settings.clip() ? settings.clip() / norm : 1;
    double correction1 = 1 - StrictMath.pow(settings.beta1(), step);
    double correction2 = 1 - StrictMath.pow(settings.beta2(), step);
    for (int p = 0; p < means.length; p++) {
      float[] values = parameters.get(p).values();
      float[] gradient = parameters.get(p).gradient();
      float[] mean = means[p];
      float[] square = squares[p];
      for (int i = 0; i < values.length; i++) {
        double g = gradient[i] * factor;
        mean[i] = (float) (settings.beta1() * mean[i] + (1 - settings.beta1()) * g);
        square[i] = (float) (settings.beta2() * square[i] + (1 - settings.beta2()) * g * g);
        double change =
            mean[i] / correction1 / (Math.sqrt(square[i] / correction2) + settings.epsilon());
        values[i] =
            (float) (values[i] - learningRate * (change + settings.weightDecay() * values[i]));
        gradient[i] = 0;
      }
    }
    return norm;
  }

  private double norm() {
    double sum = 0;
    for (Parameter parameter : parameters) {
      for (float g : parameter.gradient()) {
        sum += (double) g * g;
      }
    }
    return Math.sqrt(sum);
  }
}

package dev.nola.trainer.method;

import java.nio.FloatBuffer;

/**
 * A vector that is trained or otherwise changed by steps. Mutable: the optimizer changes its
 * values, a backward pass adds to its gradient.
 */
public final class Parameter {
  private final String name;
  private final float[] values;
  private final float[] gradient;

  Parameter(String name, float[] values) {
    this.name = name;
    this.values = values;
    this.gradient = new float[values.length];
  }

  /**
   * Returns the name.
   *
   * @return a name that is unique in a run
   */
  public String name() {
    return name;
  }

  /**
   * Returns the values.
   *
   * @return the array itself, which the optimizer changes
   */
  public float[] values() {
    return values;
  }

  /**
   * Returns the gradient of the loss, as far as it was added up.
   *
   * @return the array itself, as long as the values
   */
  public float[] gradient() {
    return gradient;
  }

  void addGradient(FloatBuffer summand) {
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] += summand.get(i);
    }
  }
}

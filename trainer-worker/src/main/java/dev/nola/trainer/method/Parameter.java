package dev.nola.trainer.method;

/**
 * A vector that is trained. Mutable: the optimizer changes its values, a backward pass adds to its
 * gradient.
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

  /** Unique in a run. */
  public String name() {
    return name;
  }

  /** The values, not a copy. */
  public float[] values() {
    return values;
  }

  /** The gradient of the loss so far, not a copy. */
  public float[] gradient() {
    return gradient;
  }

  void addGradient(float[] more) {
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] += more[i];
    }
  }
}

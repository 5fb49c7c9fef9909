package dev.nola.reconstruct;

/**
 * The contribution of one adapter to a merge.
 *
 * @param factors the factors of the adapter's layer for the merged tensor
 * @param weight w in W + w·ΔW, finite
 */
public record WeightedDelta(Factors factors, double weight) {
  /**
   * Checks the weight.
   *
   * @throws IllegalArgumentException if {@code weight} is not finite
   */
  public WeightedDelta {
    if (!Double.isFinite(weight)) {
      throw new IllegalArgumentException("invalid adapter weight: " + weight + "; must be finite");
    }
  }
}

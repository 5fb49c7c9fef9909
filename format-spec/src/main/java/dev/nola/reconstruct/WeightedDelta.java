package dev.nola.reconstruct;

/**
 * One adapter's share in a merge.
 *
 * @param factors of the adapter's layer for the tensor that is merged
 * @param weight w in W + w·ΔW, finite
 */
public record WeightedDelta(Factors factors, double weight) {
  /**
   * @throws IllegalArgumentException if {@code weight} is not finite
   */
  public WeightedDelta {
    if (!Double.isFinite(weight)) {
      throw new IllegalArgumentException("adapter weight=" + weight + ", must be finite");
    }
  }
}

package dev.nola.client.export;

/**
 * The error by which rounding the factors changes ΔW.
 *
 * @param error the largest ‖ΔW' − ΔW‖ / ‖ΔW‖ (Frobenius) over the modules
 * @param module the path of the module with that error; empty if nothing was rounded
 */
public record RoundingError(double error, String module) {
  static final RoundingError NONE = new RoundingError(0, "");

  /** Returns the larger of this error and another. */
  RoundingError orLarger(double other, String otherModule) {
    return other > error ? new RoundingError(other, otherModule) : this;
  }
}

package dev.nola.trainer.method;

/**
 * What a target's ΔW is multiplied by.
 *
 * @param c the method's factor, above 0
 * @param isPaper whether c is the paper's: its ΔW is c/r times the product of sums of bases whose
 *     elements are uniform in ±1/√k, of standard deviation 1/√(3k) (NOLA alone)
 */
public record Scaling(double c, boolean isPaper) {
  /**
   * Returns a scaling by this project's own rule.
   *
   * @param c the method's factor, above 0
   * @return the scaling
   */
  public static Scaling of(double c) {
    return new Scaling(c, false);
  }

  /**
   * Returns what the product of NOLA's factors is multiplied by, whose elements are as large as the
   * coefficients. By the paper's rule, coefficients and learning rate are the paper's, too.
   *
   * @param rank r
   * @param inputs in, the number of inputs of an output
   * @return c/√(r·in), or c/(3r) by the paper's rule
   */
  double nola(int rank, int inputs) {
    return isPaper ? c / (3.0 * rank) : c / Math.sqrt((double) rank * inputs);
  }

  /** Returns what PRANC's sum is multiplied by: c/√in. */
  double pranc(int inputs) {
    return c / Math.sqrt(inputs);
  }

  /** Returns what LoRA's product is multiplied by: c/r. */
  double lora(int rank) {
    return c / rank;
  }
}

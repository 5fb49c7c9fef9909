package dev.nola.trainer.coverage;

/**
 * What both methods reach with equal numbers of coefficients.
 *
 * @param size d of the d×d updates
 * @param rank r of NOLA's product
 * @param k coefficients of NOLA's first factor
 * @param l coefficients of its second factor; PRANC has k + l
 * @param nola dimensions that NOLA reaches
 * @param pranc dimensions that PRANC reaches
 */
public record CoveragePoint(int size, int rank, int k, int l, int nola, int pranc) {
  /**
   * Returns the number of coefficients of either method.
   *
   * @return k + l
   */
  public int coefficients() {
    return k + l;
  }

  /**
   * Returns NOLA's share of the space.
   *
   * @return 0 to 1
   */
  public double nolaCoverage() {
    return (double) nola / (size * size);
  }

  /**
   * Returns PRANC's share of the space.
   *
   * @return 0 to 1
   */
  public double prancCoverage() {
    return (double) pranc / (size * size);
  }
}

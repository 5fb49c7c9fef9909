package dev.nola.format;

/** What a layer stores of its ΔW: the coefficients of one or of two random bases. */
public sealed interface Coefficients {
  /** α, the coefficients of side A. */
  Codes alpha();

  /**
   * NOLA (paper, equations 1 and 2): ΔW = (Σ αᵢAᵢ)(Σ βⱼBⱼ), with Aᵢ of R×r and Bⱼ of r×C.
   *
   * @param rank r, at least 1
   * @param beta β, the coefficients of side B
   */
  record LowRank(int rank, Codes alpha, Codes beta) implements Coefficients {
    /**
     * @throws IllegalArgumentException if {@code rank} is not positive
     */
    public LowRank {
      if (rank < 1) {
        throw new IllegalArgumentException("rank=" + rank + ", must be at least 1");
      }
    }
  }

  /** PRANC, the direct form: ΔW = Σ αᵢAᵢ, with Aᵢ of R×C; no low rank and no side B. */
  record Direct(Codes alpha) implements Coefficients {}
}

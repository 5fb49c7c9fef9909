package dev.nola.format;

/** The quantized coefficients of a layer: of one random basis, or of two. */
public sealed interface Coefficients {
  /**
   * Returns α, the coefficients of side A.
   *
   * @return k codes
   */
  Codes alpha();

  /**
   * NOLA (paper, equations 1 and 2): ΔW = (Σ αᵢAᵢ)(Σ βⱼBⱼ), with Aᵢ of R×r and Bⱼ of r×C.
   *
   * @param rank r, at least 1
   * @param alpha α, the coefficients of side A
   * @param beta β, the coefficients of side B
   */
  record LowRank(int rank, Codes alpha, Codes beta) implements Coefficients {
    /**
     * Checks the rank.
     *
     * @throws IllegalArgumentException if {@code rank} is not positive
     */
    public LowRank {
      if (Rules.isBroken(Rule.RANK, rank >= 1)) {
        throw new RuleViolation(Rule.RANK, "invalid rank: " + rank + "; must be at least 1");
      }
    }
  }

  /**
   * PRANC, the direct form: ΔW = Σ αᵢAᵢ, with Aᵢ of R×C; no low rank and no side B.
   *
   * @param alpha α, the coefficients
   */
  record Direct(Codes alpha) implements Coefficients {}
}

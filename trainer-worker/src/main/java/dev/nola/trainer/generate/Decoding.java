package dev.nola.trainer.generate;

/**
 * How texts are continued.
 *
 * @param maxTokens maximum number of new tokens, at least 1
 * @param beams number of continuations that are followed at a time; 1 follows the likeliest token
 *     alone
 * @param lengthPenalty exponent of the length that the log-likelihood of a continuation is divided
 *     by, when the best one is chosen; used with several beams
 * @param noRepeat length of sequences of tokens that no text contains twice; 0 allows all
 */
public record Decoding(int maxTokens, int beams, double lengthPenalty, int noRepeat) {
  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public Decoding {
    require(maxTokens >= 1, "number of tokens", maxTokens, "at least 1");
    require(beams >= 1, "number of beams", beams, "at least 1");
    require(noRepeat >= 0, "length of sequences without repetition", noRepeat, "0 or more");
    if (!Double.isFinite(lengthPenalty)) {
      throw new IllegalArgumentException(
          "invalid length penalty: " + lengthPenalty + "; must be a finite number");
    }
  }

  private static void require(boolean isMet, String what, int value, String rule) {
    if (!isMet) {
      throw new IllegalArgumentException("invalid %s: %d; must be %s".formatted(what, value, rule));
    }
  }

  /**
   * Returns the decoding that follows the likeliest token.
   *
   * @param maxTokens maximum number of new tokens, at least 1
   * @return one beam, without a rule on repetition
   */
  public static Decoding greedy(int maxTokens) {
    return new Decoding(maxTokens, 1, 1, 0);
  }
}

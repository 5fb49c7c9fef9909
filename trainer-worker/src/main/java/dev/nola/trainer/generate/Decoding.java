package dev.nola.trainer.generate;

/**
 * How texts are continued.
 *
 * @param maxTokens maximum number of new tokens, at least 1
 * @param beams number of continuations that are followed at a time, at least 1; 1 follows the
 *     likeliest token alone
 * @param lengthPenalty exponent of the length that the log-likelihood of a continuation is divided
 *     by, when the best one is chosen; finite, and used with several beams
 * @param noRepeat length of sequences of tokens that no text contains twice; 0 allows all
 */
public record Decoding(int maxTokens, int beams, double lengthPenalty, int noRepeat) {
  /**
   * Returns the decoding that follows the likeliest token.
   *
   * @param maxTokens maximum number of new tokens, at least 1
   * @return one beam, without a rule on repetition
   */
  public static Decoding greedy(int maxTokens) {
    return new Decoding(maxTokens, 1, 1, 0);
  }

  /** Returns the same decoding with at most some number of new tokens. */
  Decoding atMost(int tokens) {
    return new Decoding(Math.min(maxTokens, tokens), beams, lengthPenalty, noRepeat);
  }
}

package dev.nola.trainer;

import dev.nola.trainer.generate.Decoding;
import picocli.CommandLine.Option;

/** Options of commands that continue texts. */
final class DecodingOptions {
  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description =
          "Longest continuation, in tokens; it also ends where the model has no more positions."
              + " Default: ${DEFAULT-VALUE}.")
  private int maxTokens = 64;

  @Option(
      names = "--beams",
      paramLabel = "N",
      description =
          "Number of continuations that are followed at a time, of which the best is chosen (beam"
              + " search); 1 takes the likeliest token at each step. Default: ${DEFAULT-VALUE}.")
  private int beams = 1;

  @Option(
      names = "--length-penalty",
      paramLabel = "P",
      description =
          "With --beams: the best has the greatest log-likelihood divided by its length to the"
              + " power of P. Default: ${DEFAULT-VALUE}.")
  private double lengthPenalty = 1;

  @Option(
      names = "--no-repeat-ngram",
      paramLabel = "N",
      description =
          "No sequence of N tokens occurs twice in a text; 0 allows all. Default:"
              + " ${DEFAULT-VALUE}.")
  private int noRepeat;

  /**
   * Returns how texts are continued.
   *
   * @throws IllegalArgumentException if an option is out of its range
   */
  Decoding decoding() {
    requireAtLeast(1, maxTokens, "--max-tokens");
    requireAtLeast(1, beams, "--beams");
    requireAtLeast(0, noRepeat, "--no-repeat-ngram");
    if (!Double.isFinite(lengthPenalty)) {
      throw new IllegalArgumentException(
          "invalid --length-penalty: " + lengthPenalty + "; must be a finite number");
    }
    return new Decoding(maxTokens, beams, lengthPenalty, noRepeat);
  }

  private static void requireAtLeast(int minimum, int value, String option) {
    if (value < minimum) {
      throw new IllegalArgumentException(
          "invalid %s: %d; must be at least %d".formatted(option, value, minimum));
    }
  }
}

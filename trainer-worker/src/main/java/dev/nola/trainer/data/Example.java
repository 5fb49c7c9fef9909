package dev.nola.trainer.data;

/** An example to learn from. */
public sealed interface Example {
  /**
   * A text whose end is to be learned.
   *
   * @param tokens ids of the tokens of prompt and completion
   * @param prompt number of tokens of the prompt, at least 1; what follows counts for the loss
   */
  record Completion(int[] tokens, int prompt) implements Example {}

  /**
   * A text and its class.
   *
   * @param tokens ids of the text's tokens
   * @param label number of the class, from 0
   */
  record Classified(int[] tokens, int label) implements Example {}

  /**
   * Features, such as pixels, and their class.
   *
   * @param values the features
   * @param label number of the class, from 0
   */
  record Features(float[] values, int label) implements Example {}
}

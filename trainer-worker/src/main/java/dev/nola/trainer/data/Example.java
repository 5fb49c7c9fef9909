package dev.nola.trainer.data;

/** One thing to learn from. */
public sealed interface Example {
  /**
   * A text of which the end is to be learned.
   *
   * @param tokens prompt and completion
   * @param prompt number of tokens of the prompt, at least 1; what follows counts for the loss
   */
  record Completion(int[] tokens, int prompt) implements Example {}

  /** A text and its class, from 0. */
  record Classified(int[] tokens, int label) implements Example {}

  /** Features, such as pixels, and their class, from 0. */
  record Features(float[] values, int label) implements Example {}
}

package dev.nola.trainer.generate;

import java.util.Arrays;

/** Keeps a text from containing a sequence of tokens twice. */
final class Repetition {
  private Repetition() {}

  /**
   * Makes tokens impossible that would complete a sequence that a text has already.
   *
   * @param logits of the next token; −∞ afterwards for what is impossible
   * @param text its tokens
   * @param length length of the sequences; 0 allows all
   */
  static void forbid(float[] logits, int[] text, int length) {
    if (length == 0 || text.length + 1 < length) {
      return;
    }
    int known = length - 1;
    int end = text.length - known;
    for (int start = 0; start + known < text.length; start++) {
      if (Arrays.equals(text, start, start + known, text, end, text.length)) {
        logits[text[start + known]] = Float.NEGATIVE_INFINITY;
      }
    }
  }
}

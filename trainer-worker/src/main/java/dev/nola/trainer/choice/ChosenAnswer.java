package dev.nola.trainer.choice;

import dev.nola.trainer.data.Question;
import java.util.stream.IntStream;

/**
 * The choices of a question, as a language model rates them.
 *
 * @param question the question
 * @param shots number of answered questions in the prompt
 * @param logLikelihoods log-likelihood of each choice
 */
public record ChosenAnswer(Question question, int shots, double[] logLikelihoods) {
  /**
   * Returns the likeliest choice.
   *
   * @return its number, the first of equal ones
   */
  public int chosen() {
    return largest(logLikelihoods);
  }

  /**
   * Returns the choice with the greatest log-likelihood by character (code point), which does not
   * prefer short choices.
   *
   * @return its number, the first of equal ones
   */
  public int chosenByCharacter() {
    return largest(
        IntStream.range(0, logLikelihoods.length)
            .mapToDouble(
                i -> {
                  String choice = question.choices().get(i);
                  return logLikelihoods[i] / choice.codePointCount(0, choice.length());
                })
            .toArray());
  }

  private static int largest(double[] values) {
    int largest = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[largest]) {
        largest = i;
      }
    }
    return largest;
  }
}

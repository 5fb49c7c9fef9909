package dev.nola.trainer.choice;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.trainer.data.Question;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProtocolTest {
  private static final Question QUESTION =
      new Question(1, "Which is even?", List.of("One", "Two"), 1, "number_theory");
  private static final Question SHOT =
      new Question(1, "Which is odd?", List.of("Three", "Four"), 0, "number_theory");

  @Test
  void letterPromptsAreThoseOfMmlu() {
    assertThat(Protocol.LETTER.prompt(QUESTION, List.of(SHOT)))
        .isEqualTo(
            """
            The following are multiple choice questions (with answers) about number theory.

            Which is odd?
            A. Three
            B. Four
            Answer: A

            Which is even?
            A. One
            B. Two
            Answer:""");
    assertThat(Protocol.LETTER.answer(QUESTION, 1)).isEqualTo(" B");
  }

  @Test
  void questionWithoutSubject_hasNoneInItsPrompt() {
    Question question = new Question(1, "Which?", List.of("One", "Two"), 1, null);
    assertThat(Protocol.LETTER.prompt(question, List.of()))
        .startsWith("The following are multiple choice questions (with answers).\n\nWhich?\nA. ");
  }

  @Test
  void textPromptsHaveNoChoices() {
    assertThat(Protocol.TEXT.prompt(QUESTION, List.of(SHOT)))
        .isEqualTo(
            """
            Question: Which is odd?
            Answer: Three

            Question: Which is even?
            Answer:""");
    assertThat(Protocol.TEXT.answer(QUESTION, 1)).isEqualTo(" Two");
  }

  @Test
  void likelihoodByCharacterDoesNotPreferShortChoices() {
    Question question = new Question(1, "Which?", List.of("ab", "abcdefgh"), 1, null);
    ChosenAnswer answer = new ChosenAnswer(question, 0, new double[] {-3, -4});
    assertThat(answer.chosen()).isZero();
    assertThat(answer.chosenByCharacter()).isEqualTo(1);
  }
}

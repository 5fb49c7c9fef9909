package dev.nola.trainer.choice;

import dev.nola.trainer.data.Question;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** How a question and its choices are put to a language model. */
public enum Protocol {
  /** MMLU's: the prompt lists the choices with letters, and a letter is predicted. */
  LETTER {
    @Override
    String prompt(Question question, List<Question> shots) {
      String subject =
          question.subject() == null ? "" : " about " + question.subject().replace('_', ' ');
      return "The following are multiple choice questions (with answers)%s.\n\n".formatted(subject)
          + super.prompt(question, shots);
    }

    @Override
    String ask(Question question) {
      return IntStream.range(0, question.choices().size())
          .mapToObj(i -> "\n%s. %s".formatted(Question.letter(i), question.choices().get(i)))
          .collect(Collectors.joining("", question.text(), "\nAnswer:"));
    }

    @Override
    String answer(Question question, int choice) {
      return " " + Question.letter(choice);
    }
  },

  /** The prompt has the question alone, and the whole text of a choice is predicted. */
  TEXT {
    @Override
    String ask(Question question) {
      return "Question: %s\nAnswer:".formatted(question.text());
    }

    @Override
    String answer(Question question, int choice) {
      return " " + question.choices().get(choice);
    }
  };

  /**
   * Returns the text to be continued.
   *
   * @param question the question
   * @param shots questions that are answered before it
   */
  String prompt(Question question, List<Question> shots) {
    return shots.stream()
        .map(shot -> ask(shot) + answer(shot, shot.answer()) + "\n\n")
        .collect(Collectors.joining("", "", ask(question)));
  }

  abstract String ask(Question question);

  /** Returns the continuation that stands for a choice. */
  abstract String answer(Question question, int choice);
}

package dev.nola.trainer.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A multiple-choice question.
 *
 * @param line number of its line, from 1
 * @param text the question
 * @param choices the possible answers, 2 to 26
 * @param answer number of the right one, from 0
 * @param subject what it is about, such as {@code abstract_algebra}; null if the file has none
 */
public record Question(
    int line, String text, List<String> choices, int answer, @Nullable String subject) {
  private static final int MAX_CHOICES = 26;

  /** Copies the list. */
  public Question {
    choices = List.copyOf(choices);
  }

  /**
   * Returns the letter of a choice.
   *
   * @param choice its number, from 0
   * @return A to Z
   */
  public static String letter(int choice) {
    return String.valueOf((char) ('A' + choice));
  }

  /**
   * Reads a file with a JSON object per line, in the format of MMLU on Hugging Face: {@code
   * question}, {@code choices}, {@code answer} (a number from 0, or a letter) and perhaps {@code
   * subject}.
   *
   * @param path the file; may end in {@code .gz}
   * @return the questions, at least one
   * @throws IOException if the file cannot be read, or breaks a rule: the message has its name, the
   *     line and the rule
   */
  public static List<Question> read(Path path) throws IOException {
    List<Question> questions = new ArrayList<>();
    for (Lines.Line line : Lines.read(path).lines()) {
      questions.add(of(path, line, Row.object(path, line)));
    }
    if (questions.isEmpty()) {
      throw new InvalidDataException(path + ": has no questions");
    }
    return questions;
  }

  private static Question of(Path path, Lines.Line line, JsonNode object) throws IOException {
    List<String> choices = new ArrayList<>();
    for (JsonNode choice : object.path("choices")) {
      if (!choice.isString() || choice.asString().isBlank()) {
        throw Lines.invalid(path, line.number(), "each of \"choices\" must be text, not empty");
      }
      choices.add(choice.asString());
    }
    if (choices.size() < 2 || choices.size() > MAX_CHOICES) {
      throw Lines.invalid(
          path,
          line.number(),
          "field \"choices\" has %d texts; must be 2 to %d".formatted(choices.size(), MAX_CHOICES));
    }
    return new Question(
        line.number(),
        Row.field(path, line, object, "question", false),
        choices,
        answer(path, line, object.path("answer"), choices.size()),
        object.path("subject").isMissingNode() || object.path("subject").isNull()
            ? null
            : Row.field(path, line, object, "subject", false));
  }

  private static int answer(Path path, Lines.Line line, JsonNode answer, int choices)
      throws IOException {
    for (int choice = 0; choice < choices; choice++) {
      if (answer.isIntegralNumber()
          ? answer.asString().equals(Integer.toString(choice))
          : answer.isString() && answer.asString().equals(letter(choice))) {
        return choice;
      }
    }
    throw Lines.invalid(
        path,
        line.number(),
        "field \"answer\" is %s; must be 0 to %d or A to %s"
            .formatted(
                answer.isMissingNode() ? "missing" : answer, choices - 1, letter(choices - 1)));
  }
}

package dev.nola.trainer.choice;

import dev.nola.client.Progress;
import dev.nola.trainer.data.Example.Completion;
import dev.nola.trainer.data.InvalidDataException;
import dev.nola.trainer.data.Question;
import dev.nola.trainer.data.TextTokenizer;
import dev.nola.trainer.generate.TextLikelihood;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Answers multiple-choice questions by the log-likelihood of each choice.
 *
 * @param protocol how a question is put
 * @param tokenizer the model's tokenizer
 * @param maxTokens longest prompt with a choice, in tokens
 */
public record MultipleChoice(Protocol protocol, TextTokenizer tokenizer, int maxTokens) {
  /**
   * Answered questions to begin prompts with.
   *
   * @param questions the questions
   * @param count number of them in a prompt: the first of the same subject
   */
  public record Shots(List<Question> questions, int count) {
    /** No answered questions. */
    public static final Shots NONE = new Shots(List.of(), 0);

    /** Copies the list. */
    public Shots {
      questions = List.copyOf(questions);
    }

    /** Returns the shots for a question. */
    List<Question> of(Path file, Question question) throws IOException {
      List<Question> all =
          questions.stream()
              .filter(shot -> Objects.equals(shot.subject(), question.subject()))
              .limit(count)
              .toList();
      if (all.size() < count) {
        throw new InvalidDataException(
            "%s: line %d: only %d shots %s; must be %d"
                .formatted(
                    file,
                    question.line(),
                    all.size(),
                    question.subject() == null
                        ? "without a subject"
                        : "of subject \"" + question.subject() + "\"",
                    count));
      }
      return all;
    }
  }

  /** A question and the texts of its choices. */
  private record Prompt(Question question, int shots, List<Completion> choices) {}

  /**
   * Answers questions.
   *
   * @param file where the questions come from, for messages
   * @param questions the questions
   * @param shots answered questions; of a prompt that is too long the last ones are left out
   * @param likelihood the model
   * @param progress receives the number of texts that are computed
   * @return the answers, in the order of the questions
   * @throws IOException if a question is too long without shots, or a subject has too few
   * @throws InterruptedException if the thread was interrupted
   */
  public List<ChosenAnswer> answer(
      Path file,
      List<Question> questions,
      Shots shots,
      TextLikelihood likelihood,
      Progress progress)
      throws IOException, InterruptedException {
    List<Prompt> prompts = new ArrayList<>();
    for (Question question : questions) {
      prompts.add(prompt(file, question, shots.of(file, question)));
    }
    double[] logLikelihoods =
        likelihood.of(
            prompts.stream().flatMap(prompt -> prompt.choices.stream()).toList(), progress);
    List<ChosenAnswer> answers = new ArrayList<>();
    int next = 0;
    for (Prompt prompt : prompts) {
      int end = next + prompt.choices.size();
      answers.add(
          new ChosenAnswer(
              prompt.question, prompt.shots, Arrays.copyOfRange(logLikelihoods, next, end)));
      next = end;
    }
    return answers;
  }

  private Prompt prompt(Path file, Question question, List<Question> shots) throws IOException {
    for (int count = shots.size(); ; count--) {
      String prompt = protocol.prompt(question, shots.subList(0, count));
      List<Completion> choices =
          IntStream.range(0, question.choices().size())
              .mapToObj(choice -> tokenizer.completed(prompt, protocol.answer(question, choice)))
              .toList();
      int longest = choices.stream().mapToInt(text -> text.tokens().length).max().orElseThrow();
      if (longest <= maxTokens) {
        return new Prompt(question, count, choices);
      }
      if (count == 0) {
        throw new InvalidDataException(
            "%s: line %d: question has %d tokens; must have at most %d"
                .formatted(file, question.line(), longest, maxTokens));
      }
    }
  }
}

package dev.nola.trainer;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.client.lora.ImportRefusedException;
import dev.nola.client.merge.MergeRefusedException;
import dev.nola.command.AdapterSource;
import dev.nola.command.BaseOptions;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.ProgressBar;
import dev.nola.command.Table;
import dev.nola.text.Label;
import dev.nola.trainer.choice.ChosenAnswer;
import dev.nola.trainer.choice.MultipleChoice;
import dev.nola.trainer.choice.Protocol;
import dev.nola.trainer.data.Question;
import dev.nola.trainer.generate.TextLikelihood;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Answers multiple-choice questions with a language model. */
@Command(
    name = "choose",
    description = {
      "Answer multiple-choice questions by the log-likelihood of each choice, with or without an"
          + " adapter, and measure the accuracy.",
      "Questions are JSON objects, one per line, with question, choices, answer (a number from 0, or"
          + " a letter) and perhaps subject."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola choose llama/ --questions test.jsonl",
      "  nola choose llama/ alpaca.nola --questions test.jsonl --shots 5 --examples dev.jsonl"
    })
final class ChooseCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "BASE", description = "The base model's folder.")
  private Path base = Path.of("");

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "FILE_OR_REF",
      description = "The adapter, or a LoRA of PEFT. Default: none.")
  private @Nullable String adapter;

  @Option(
      names = "--questions",
      required = true,
      paramLabel = "FILE",
      description = "The questions; may end in .gz.")
  private Path questions = Path.of("");

  @Option(
      names = "--protocol",
      paramLabel = "PROTOCOL",
      description =
          "letter: the prompt lists the choices, and a letter is predicted, as in MMLU. text: the"
              + " text of a choice is predicted. Default: letter.")
  private Protocol protocol = Protocol.LETTER;

  @Option(
      names = "--shots",
      paramLabel = "N",
      description =
          "Number of answered questions in a prompt, of the same subject; the last are left out of"
              + " prompts that are too long. Default: ${DEFAULT-VALUE}.")
  private int shots;

  @Option(
      names = "--examples",
      paramLabel = "FILE",
      description = "With --shots: the answered questions, of which the first of a subject count.")
  private @Nullable Path examples;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "Longest prompt with a choice. Default: what the model allows.")
  private @Nullable Integer maxTokens;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Prompts at a time. Default: ${DEFAULT-VALUE}.")
  private int batch = 8;

  @ArgGroup private BaseOptions baseOptions = new BaseOptions();
  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call()
      throws IOException, InterruptedException, ImportRefusedException, MergeRefusedException {
    if (shots < 0 || batch < 1) {
      throw new IllegalArgumentException(
          shots < 0
              ? "invalid --shots: " + shots + "; must be at least 0"
              : "invalid --batch: " + batch + "; must be at least 1");
    }
    if ((shots == 0) != (examples == null)) {
      throw new ParameterException(
          output.command().commandLine(),
          shots == 0 ? "--examples needs --shots" : "--shots needs --examples");
    }
    List<Question> asked = Question.read(questions);
    MultipleChoice.Shots answered =
        examples == null
            ? MultipleChoice.Shots.NONE
            : new MultipleChoice.Shots(Question.read(examples), shots);
    List<ChosenAnswer> answers;
    try (LoadedLanguageModel model =
            LoadedLanguageModel.open(base, adapter, source, baseOptions, output);
        ProgressBar bar = output.stepBar("choose")) {
      int longest =
          maxTokens == null
              ? model.tokenizer().positions()
              : model.tokenizer().maximum(maxTokens, "--max-tokens");
      answers =
          new MultipleChoice(protocol, model.tokenizer(), longest)
              .answer(
                  questions,
                  asked,
                  answered,
                  new TextLikelihood(model.network(), model.weights(), batch),
                  bar);
    }
    Report report = Report.of(protocol, shots, answers);
    output.print(report, out -> report.print(out));
    return ExitCode.OK;
  }

  /**
   * How many answers were right.
   *
   * @param questions number of questions
   * @param shortened number of prompts with fewer shots
   * @param accuracy share of questions whose likeliest choice is right
   * @param accuracyByCharacter the same of log-likelihoods by character; null for letters
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  private record Score(
      int questions, int shortened, double accuracy, @Nullable Double accuracyByCharacter) {
    static Score of(Protocol protocol, int shots, List<ChosenAnswer> answers) {
      return new Score(
          answers.size(),
          (int) answers.stream().filter(answer -> answer.shots() < shots).count(),
          share(answers, ChosenAnswer::chosen),
          protocol == Protocol.TEXT ? share(answers, ChosenAnswer::chosenByCharacter) : null);
    }

    private static double share(List<ChosenAnswer> answers, ToIntFunction<ChosenAnswer> chosen) {
      return answers.stream()
          .mapToInt(answer -> chosen.applyAsInt(answer) == answer.question().answer() ? 1 : 0)
          .average()
          .orElseThrow();
    }
  }

  /** What {@code --json} prints of a question; lines count from 1, choices from 0. */
  private record Answer(int line, int answer, int chosen, double[] logLikelihoods) {
    static Answer of(ChosenAnswer answer) {
      return new Answer(
          answer.question().line(),
          answer.question().answer(),
          answer.chosen(),
          answer.logLikelihoods());
    }
  }

  /** What {@code --json} prints; questions without a subject count in the total alone. */
  private record Report(
      String protocol, int shots, Score total, Map<String, Score> subjects, List<Answer> answers) {
    static Report of(Protocol protocol, int shots, List<ChosenAnswer> answers) {
      Map<String, List<ChosenAnswer>> bySubject = new LinkedHashMap<>();
      for (ChosenAnswer answer : answers) {
        String subject = answer.question().subject();
        if (subject != null) {
          bySubject.computeIfAbsent(subject, _ -> new ArrayList<>()).add(answer);
        }
      }
      Map<String, Score> subjects = new LinkedHashMap<>();
      bySubject.forEach((subject, some) -> subjects.put(subject, Score.of(protocol, shots, some)));
      return new Report(
          Label.of(protocol),
          shots,
          Score.of(protocol, shots, answers),
          subjects,
          answers.stream().map(Answer::of).toList());
    }

    void print(PrintWriter out) {
      Table table =
          total.accuracyByCharacter == null
              ? new Table("subject", "questions", "accuracy")
              : new Table("subject", "questions", "accuracy", "by character");
      subjects.forEach((subject, score) -> row(table, subject, score));
      row(table, "total", total);
      table.print(out);
      if (total.shortened > 0) {
        out.printf(Locale.ROOT, "%,d prompts have fewer than %d shots%n", total.shortened, shots);
      }
    }

    private static void row(Table table, String name, Score score) {
      String questions = String.format(Locale.ROOT, "%,d", score.questions);
      String accuracy = String.format(Locale.ROOT, "%.4f", score.accuracy);
      if (score.accuracyByCharacter == null) {
        table.row(name, questions, accuracy);
      } else {
        table.row(
            name,
            questions,
            accuracy,
            String.format(Locale.ROOT, "%.4f", score.accuracyByCharacter));
      }
    }
  }
}

package dev.nola.trainer;

import static dev.nola.trainer.Outcome.nola;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Asks a small random model; interop/peft compares log-likelihoods with those of Transformers. */
class ChooseCommandTest {
  private static final List<String> WORDS =
      List.of("?", "A", "B", "C", "A.", "B.", "C.", "Answer:", "Question:", "red", "blue", "old");

  @TempDir private Path folder;

  private Path model = Path.of("");
  private Path questions = Path.of("");

  @BeforeEach
  void write() throws IOException {
    model = Files.createDirectory(folder.resolve("model"));
    for (String file : new String[] {"config.json", "model.safetensors"}) {
      Files.copy(
          Path.of("src/test/resources/models/llama-tied-grouped").resolve(file),
          model.resolve(file));
    }
    String words =
        IntStream.range(0, WORDS.size())
            .mapToObj(i -> "\"%s\":%d".formatted(WORDS.get(i), i))
            .collect(Collectors.joining(","));
    Files.writeString(
        model.resolve("tokenizer.json"),
        """
        {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "WhitespaceSplit"},
         "model": {"type": "WordLevel", "unk_token": "?", "vocab": {%s}}}
        """
            .formatted(words));
    questions =
        Files.writeString(
            folder.resolve("questions.jsonl"),
            """
            {"question": "red", "choices": ["red", "blue old"], "answer": 1, "subject": "colors"}
            {"question": "old blue", "choices": ["old", "red", "blue"], "answer": "A"}
            {"question": "blue", "choices": ["red red", "blue"], "answer": 0, "subject": "colors"}
            """);
  }

  private Outcome choose(Object... options) {
    List<Object> args = new ArrayList<>(List.of("choose", model, "--questions", questions));
    args.addAll(List.of(options));
    return nola(args.toArray());
  }

  @ParameterizedTest
  @ValueSource(strings = {"letter", "text"})
  void batchesDoNotChangeLikelihoods(String protocol) {
    JsonNode one = choose("--protocol", protocol, "--batch", 1, "--json").json();
    JsonNode all = choose("--protocol", protocol, "--batch", 9, "--json").json();
    assertThat(one.get("answers")).hasSize(3);
    for (int question = 0; question < 3; question++) {
      JsonNode expected = one.get("answers").get(question).get("logLikelihoods");
      JsonNode actual = all.get("answers").get(question).get("logLikelihoods");
      assertThat(actual).hasSize(question == 1 ? 3 : 2);
      for (int choice = 0; choice < actual.size(); choice++) {
        assertThat(actual.get(choice).asDouble())
            .isNegative()
            .isCloseTo(expected.get(choice).asDouble(), within(1e-4));
      }
    }
  }

  @Test
  void accuracyIsTheShareOfRightAnswers() {
    JsonNode json = choose("--json").json();
    double[] right = new double[3];
    for (int i = 0; i < 3; i++) {
      JsonNode answer = json.get("answers").get(i);
      right[i] = answer.get("chosen").asInt() == answer.get("answer").asInt() ? 1 : 0;
    }
    assertThat(json.get("total").get("accuracy").asDouble())
        .isEqualTo((right[0] + right[1] + right[2]) / 3);
    assertThat(json.get("subjects").propertyNames()).containsExactly("colors");
    assertThat(json.get("subjects").get("colors").get("accuracy").asDouble())
        .isEqualTo((right[0] + right[2]) / 2);
    assertThat(json.get("total").has("accuracyByCharacter")).isFalse();
    assertThat(choose("--protocol", "text").out().lines().findFirst())
        .hasValue("subject  questions  accuracy  by character");
  }

  @Test
  void shotsThatDoNotFit_areLeftOut() throws IOException {
    Path examples =
        Files.writeString(
            folder.resolve("examples.jsonl"),
            """
            {"question": "red", "choices": ["red", "blue"], "answer": 1, "subject": "colors"}
            {"question": "old", "choices": ["old", "red"], "answer": "A"}
            {"question": "blue", "choices": ["red", "blue"], "answer": 0, "subject": "colors"}
            """);
    Object[] options = {"--shots", 1, "--examples", examples, "--json"};
    JsonNode with = choose(options).json();
    JsonNode without = choose("--json").json();
    assertThat(with.get("total").get("shortened").asInt()).isZero();
    assertThat(with.get("answers").get(0).get("logLikelihoods"))
        .isNotEqualTo(without.get("answers").get(0).get("logLikelihoods"));
    // Each question fits into 21 tokens alone.
    JsonNode shortened =
        choose("--max-tokens", 21, "--shots", 1, "--examples", examples, "--json").json();
    assertThat(shortened.get("total").get("shortened").asInt()).isEqualTo(3);
    assertThat(shortened.get("answers")).isEqualTo(without.get("answers"));
    Outcome tooLong = choose("--max-tokens", 12);
    assertThat(tooLong.exitCode()).isEqualTo(1);
    assertThat(tooLong.err()).contains("line 1: question has ", " tokens; must have at most 12");
    Outcome tooFew = choose("--shots", 2, "--examples", examples);
    assertThat(tooFew.err())
        .contains("questions.jsonl: line 2: only 1 shots without a subject; must be 2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"question\": \"q\", \"choices\": [\"a\"], \"answer\": 0}|has 1 texts; must be 2 to 26",
        "{\"question\": \"q\", \"choices\": [\"a\", 1], \"answer\": 0}|each of \"choices\" must be",
        "{\"question\": \"q\", \"choices\": [\"a\", \"b\"], \"answer\": 2}|is 2; must be 0 to 1 or A",
        "{\"question\": \"q\", \"choices\": [\"a\", \"b\"]}|\"answer\" is missing; must be 0 to 1",
        "{\"choices\": [\"a\", \"b\"], \"answer\": 0}|field \"question\" is missing; must be text",
        "[]|must be a JSON object",
      })
  void invalidQuestion_isRefusedByItsLine(String line, String rule) throws IOException {
    Files.writeString(questions, "\n" + line);
    Outcome run = choose();
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("questions.jsonl: line 2: ", rule);
  }

  @Test
  void shotsNeedExamples() {
    assertThat(choose("--shots", 5).err()).contains("--shots needs --examples");
    assertThat(choose("--examples", questions).err()).contains("--examples needs --shots");
    assertThat(choose("--shots", -1).err()).contains("invalid --shots: -1; must be at least 0");
  }
}

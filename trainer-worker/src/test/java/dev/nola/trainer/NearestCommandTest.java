package dev.nola.trainer;

import static dev.nola.trainer.Outcome.nola;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** Uses a small random encoder; interop/peft compares its neighbors with those of Transformers. */
class NearestCommandTest {

  @TempDir private Path folder;

  @BeforeEach
  void write() throws IOException {
    TinyModels.write(folder, "bert");
    Files.writeString(
        folder.resolve("train.tsv"),
        """
        text\tlabel
        w1 w2 w3\tlow
        w1 w2 w4\tlow
        w1 w2 w5\thigh
        w40 w41\thigh
        """);
    Files.writeString(
        folder.resolve("valid.tsv"),
        """
        text\tlabel
        w1 w2 w5\tlow
        w40 w41\thigh
        w1 w2 w3\tlow
        """);
    job("{base: model, pooling: mean}", "classification");
  }

  private void job(String model, String task) throws IOException {
    Files.writeString(
        folder.resolve("job.yaml"),
        """
        model: %s
        task: %s
        data: {format: tsv, train: train.tsv, validation: valid.tsv, maxTokens: 16}
        method: {name: head}
        optimizer: {learningRate: 0.1}
        run: {batch: 2, threads: 1, steps: 1}
        """
            .formatted(model, task));
  }

  private Outcome nearest(Object... options) {
    Object[] args = new Object[options.length + 2];
    args[0] = "nearest";
    args[1] = folder.resolve("job.yaml");
    System.arraycopy(options, 0, args, 2, options.length);
    return nola(args);
  }

  @Test
  void nearestOfAnEqualTextIsThatText() {
    Outcome run = nearest();
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .isEqualTo(
            "accuracy 0.6667 of 3 validation examples, by 1 neighbor among 4 training examples\n");
    JsonNode json = nearest("--json").json();
    assertThat(json.get("predictions").valueStream().map(JsonNode::asString))
        .containsExactly("high", "high", "low");
    assertThat(json.get("accuracy").asDouble()).isEqualTo(2.0 / 3);
  }

  @Test
  void majorityOfNeighborsWins_andTheNearestDecidesATie() {
    // The other two texts that begin with w1 w2 are nearer than w40 w41.
    assertThat(nearest("-k", 3, "--json").json().get("predictions").get(0).asString())
        .isEqualTo("low");
    // Of four, two are of either class.
    assertThat(
            nearest("-k", 4, "--json")
                .json()
                .get("predictions")
                .valueStream()
                .map(JsonNode::asString))
        .containsExactly("high", "high", "low");
    assertThat(nearest("-k", 5).err())
        .contains("invalid --neighbors: 5; must be at most the number of training examples, 4");
  }

  @ParameterizedTest
  @CsvSource({"bert-classifier", "llama-classifier"})
  void featuresAreThoseOfEveryClassifier(String name) throws IOException {
    TinyModels.write(folder, name);
    job("{base: model}", "classification");
    assertThat(nearest("--json").json().get("predictions").valueStream().map(JsonNode::asString))
        .containsExactly("high", "high", "low");
  }

  @Test
  void modelWithoutFeatures_isRefused() throws IOException {
    assertThat(nearest("-k", 0).err()).contains("invalid --neighbors: 0; must be at least 1");
    Jobs.write(folder, "name: full", "steps: 5");
    assertThat(nearest().err()).contains("job.yaml: has no base model with features; needs");
    TinyModels.write(folder, "bert");
    job("{base: model}", "classification");
    assertThat(nearest().err())
        .contains("missing tensor: pooler.dense.weight", "use model.pooling: mean");
  }
}

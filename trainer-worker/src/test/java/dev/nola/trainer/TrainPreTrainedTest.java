package dev.nola.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Layer;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Trains models with small random weights, on words w0 to w47. */
class TrainPreTrainedTest {
  private static final Path MODELS = Path.of("src/test/resources/models");

  @TempDir private Path folder = Path.of("");

  private void model(String name) throws IOException {
    Path model = Files.createDirectory(folder.resolve("model"));
    for (String file : new String[] {"config.json", "model.safetensors"}) {
      Files.copy(MODELS.resolve(name).resolve(file), model.resolve(file));
    }
    String words =
        IntStream.range(0, 48)
            .mapToObj(i -> "\"w%d\":%d".formatted(i, i))
            .collect(Collectors.joining(","));
    Files.writeString(
        model.resolve("tokenizer.json"),
        """
        {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "WhitespaceSplit"},
         "model": {"type": "WordLevel", "unk_token": "w0", "vocab": {%s}}}
        """
            .formatted(words));
  }

  private JsonNode train(String task, String data, String method) throws IOException {
    Files.writeString(
        folder.resolve("job.yaml"),
        """
        model: {base: model, baseName: tiny}
        task: %s
        data: {%s, train: data, validation: data, maxTokens: 16}
        method: {name: nola, rank: 2, k: 32, l: 32, bits: 8, %s}
        optimizer: {learningRate: 0.1}
        run: {batch: 16, threads: 1, steps: 80}
        """
            .formatted(task, data, method));
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exitCode =
        TrainerWorker.run(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            "train",
            folder.resolve("job.yaml").toString(),
            "-o",
            folder.resolve("a.nola").toString(),
            "--json");
    assertThat(err.toString()).isEmpty();
    assertThat(exitCode).isZero();
    return JsonMapper.shared().readTree(out.toString());
  }

  @Test
  void adapterOfAnotherModel_isRefused() throws IOException {
    model("llama-tied-grouped");
    Codes codes = Codes.of(1, 0, 1);
    for (Layer layer :
        List.of(
            Layer.ofMatrix("w", 8, 8, 0, 1, new Coefficients.LowRank(1, codes, codes)),
            Layer.ofMatrix(
                "model.layers.0.self_attn.q_proj.weight",
                8,
                9,
                0,
                1,
                new Coefficients.LowRank(1, codes, codes)))) {
      Path adapter = folder.resolve("other.nola");
      Files.write(
          adapter,
          Reconstructor.standard()
              .seal(Adapter.builder().generator(Generator.RADEMACHER).layer(layer).build())
              .toBytes());
      StringWriter out = new StringWriter();

      int exitCode =
          TrainerWorker.run(
              new PrintWriter(out, true),
              new PrintWriter(new StringWriter(), true),
              "generate",
              "--base",
              folder.resolve("model").toString(),
              "--adapter",
              adapter.toString(),
              "--prompt",
              "w1",
              "--json");

      assertThat(exitCode).isEqualTo(1);
      assertThat(out.toString())
          .contains("\"kind\":\"mismatched-adapter\"")
          .contains("tensor " + layer.tensor());
    }
  }

  @Test
  void languageModelLearnsToContinueTexts() throws IOException {
    model("llama-tied-grouped");
    Files.writeString(
        folder.resolve("data"),
        IntStream.range(0, 32)
            .mapToObj(
                i ->
                    "{\"prompt\":\"w%d w7\",\"completion\":\" w9 w11 w13\"}%n"
                        .formatted(i % 8 + 20))
            .collect(Collectors.joining()));
    JsonNode trained = train("causal-lm", "format: jsonl", "targets: all-linear");
    assertThat(trained.get("validationAccuracy").asDouble()).isGreaterThan(0.9);
    AdapterFile file = AdapterFile.read(folder.resolve("a.nola"));
    assertThat(file.adapter().layers()).hasSize(14);
    assertThat(file.adapter().base().name()).isEqualTo("tiny");
    assertThat(file.adapter().base().identity()).isNotNull();
  }

  @Test
  void encoderLearnsToClassify() throws IOException {
    model("bert");
    Files.writeString(
        folder.resolve("data"),
        "text\tlabel\n"
            + IntStream.range(0, 32)
                .mapToObj(
                    i ->
                        "w%d w%d w3\t%s\n".formatted(i % 5 + 20, i % 2 + 8, i % 2 == 0 ? "a" : "b"))
                .collect(Collectors.joining()));
    JsonNode trained = train("classification", "format: tsv", "targets: qv");
    assertThat(trained.get("validationAccuracy").asDouble()).isGreaterThan(0.9);
    AdapterFile file = AdapterFile.read(folder.resolve("a.nola"));
    assertThat(file.adapter().layers())
        .extracting(Layer::tensor)
        .contains("encoder.layer.0.attention.self.query.weight");
    assertThat(file.adapter().dense())
        .extracting(tensor -> tensor.name())
        .containsExactly("classifier.bias", "classifier.weight");
  }
}

package dev.nola.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nola.client.export.peft.PeftExport;
import dev.nola.client.merge.ModelMerge;
import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Tensors;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Trains models with small random weights, on words w0 to w47. */
class TrainPreTrainedTest {
  private static final Path MODELS = Path.of("src/test/resources/models");
  private static final String NOLA = "name: nola, rank: 2, k: 32, l: 32, bits: 8";
  private static final String LORA = "name: lora, rank: 2, targets: all-linear";

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

  private JsonNode train(String task, String data, String method, double learningRate)
      throws IOException {
    Files.writeString(
        folder.resolve("job.yaml"),
        """
        model: {base: model, baseName: tiny}
        task: %s
        data: {%s, train: data, validation: data, maxTokens: 16}
        method: {%s}
        optimizer: {learningRate: %s}
        run: {batch: 16, threads: 1, steps: 80}
        """
            .formatted(task, data, method, learningRate));
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

  private void texts() throws IOException {
    Files.writeString(
        folder.resolve("data"),
        IntStream.range(0, 32)
            .mapToObj(
                i ->
                    "{\"prompt\":\"w%d w7\",\"completion\":\" w9 w11 w13\"}%n"
                        .formatted(i % 8 + 20))
            .collect(Collectors.joining()));
  }

  @Test
  void languageModelLearnsToContinueTexts() throws IOException {
    model("llama-tied-grouped");
    texts();
    JsonNode trained = train("causal-lm", "format: jsonl", NOLA + ", targets: all-linear", 0.1);
    assertThat(trained.get("validationAccuracy").asDouble()).isGreaterThan(0.9);
    AdapterFile file = AdapterFile.read(folder.resolve("a.nola"));
    assertThat(file.adapter().layers()).hasSize(14);
    assertThat(file.adapter().base().name()).isEqualTo("tiny");
    assertThat(file.adapter().base().identity()).isNotNull();
  }

  private static float[] floats(SafetensorsFile file, String key) {
    return Tensors.widened(DType.F32, file.tensors().get(key).data());
  }

  /** A trained LoRA is stored, exported and merged as a LoRA, not as whole weights. */
  @ParameterizedTest
  @ValueSource(strings = {"", ", bits: 4, quantizationAware: true"})
  void loraOfALanguageModel_isExportedAndMerged(String bits) throws Exception {
    model("llama-tied-grouped");
    texts();
    JsonNode trained = train("causal-lm", "format: jsonl", LORA + bits, 0.03);
    assertThat(trained.get("validationAccuracy").asDouble()).isGreaterThan(0.9);
    Path adapter = folder.resolve("a.nola");
    AdapterFile file = AdapterFile.read(adapter);
    assertThat(file.adapter().dense()).isEmpty();
    assertThat(file.adapter().layers()).hasSize(14);
    assertThat(file.adapter().base().identity()).isNotNull();
    Path peft = folder.resolve("peft");
    PeftExport.of(file).build().write(peft);
    Path merged = folder.resolve("merged");
    ModelMerge.into(folder.resolve("model")).adapter(file).build().write(merged);

    try (SafetensorsFile lora = SafetensorsFile.open(peft.resolve(PeftExport.WEIGHTS));
        BaseModel before = BaseModel.load(folder.resolve("model"));
        BaseModel after = BaseModel.load(merged)) {
      for (Factors factors : Reconstructor.standard().verifiedFactors(file)) {
        String tensor = factors.layer().tensor();
        String module = "base_model.model." + tensor.replaceFirst("\\.weight$", "");
        float[] delta = product(factors.layer(), factors.a(), factors.b());
        assertThat(delta).isNotEqualTo(new float[delta.length]);
        assertThat(
                product(
                    factors.layer(),
                    floats(lora, module + ".lora_B.weight"),
                    floats(lora, module + ".lora_A.weight")))
            .containsExactly(delta, within(1e-6f));
        float[] sum = before.tensor(before.nameOf(tensor)).toFloatArray();
        for (int i = 0; i < sum.length; i++) {
          sum[i] += delta[i];
        }
        assertThat(after.tensor(after.nameOf(tensor)).toFloatArray())
            .containsExactly(sum, within(1e-6f));
      }
    }
    String[] prompt = {"generate", "--prompt", "w21 w7", "--max-tokens", "3", "--base"};
    String adapted = output(prompt, folder.resolve("model"), "--adapter", adapter);
    assertThat(adapted).isEqualTo(output(prompt, merged)).isEqualToIgnoringWhitespace("w9w11w13");
    assertThat(output(prompt, folder.resolve("model"), "--adapter", peft)).isEqualTo(adapted);
  }

  private static float[] product(Layer layer, float[] a, float[] b) {
    int rank = a.length / layer.rows();
    float[] product = new float[layer.rows() * layer.cols()];
    for (int row = 0; row < layer.rows(); row++) {
      for (int column = 0; column < layer.cols(); column++) {
        double sum = 0;
        for (int i = 0; i < rank; i++) {
          sum += (double) a[row * rank + i] * b[i * layer.cols() + column];
        }
        product[row * layer.cols() + column] = (float) sum;
      }
    }
    return product;
  }

  private static String output(String[] command, Object... more) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exitCode =
        TrainerWorker.run(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            Stream.concat(Stream.of(command), Stream.of(more).map(Object::toString))
                .toArray(String[]::new));
    assertThat(err.toString().lines())
        .allMatch(said -> said.contains("LoRA of PEFT") || said.contains("names of tensors"));
    assertThat(exitCode).isZero();
    return out.toString();
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
    JsonNode trained = train("classification", "format: tsv", NOLA + ", targets: qv", 0.1);
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

package dev.nola.trainer;

import static dev.nola.trainer.Outcome.nola;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.LoraExport;
import dev.nola.client.export.peft.PeftFormat;
import dev.nola.client.merge.MergeRefusedException;
import dev.nola.client.merge.ModelMerge;
import dev.nola.client.peft.HeadClass;
import dev.nola.client.peft.Pooling;
import dev.nola.client.peft.StatedHead;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.files.FileTree;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.trainer.data.DataFiles;
import dev.nola.trainer.data.Dataset;
import dev.nola.trainer.data.DatasetReader;
import dev.nola.trainer.job.JobFile;
import dev.nola.trainer.job.TrainingJob;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.FloatElements;
import dev.nola.trainer.training.Evaluation;
import dev.nola.trainer.training.TrainingRun;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Trains models with small random weights, on words w0 to w47. */
class TrainPreTrainedTest {
  private static final String NOLA = "name: nola, rank: 2, k: 32, l: 32, bits: 8";
  private static final String LORA = "name: lora, rank: 2, targets: all-linear";

  @TempDir private Path folder = Path.of("");

  private String pooling = "";

  private void model(String name) throws IOException {
    TinyModels.write(folder, name);
  }

  private void job(String task, String data, String method, double learningRate)
      throws IOException {
    Files.writeString(
        folder.resolve("job.yaml"),
        """
        model: {base: model, baseName: tiny%s}
        task: %s
        data: {%s, train: data, validation: data, maxTokens: 16}
        method: {%s}
        optimizer: {learningRate: %s}
        run: {batch: 16, threads: 1, steps: 80}
        """
            .formatted(
                pooling.isEmpty() ? "" : ", pooling: " + pooling,
                task,
                data,
                method,
                learningRate));
  }

  private JsonNode train(String task, String data, String method, double learningRate)
      throws IOException {
    job(task, data, method, learningRate);
    Outcome trained =
        nola("train", folder.resolve("job.yaml"), "-o", folder.resolve("a.nola"), "--json");
    assertThat(trained.err()).isEmpty();
    assertThat(trained.exitCode()).isZero();
    return trained.json();
  }

  private static Layer layer(String tensor, int rows, int cols) {
    Codes codes = Codes.of(1, 0, 1);
    return Layer.ofMatrix(tensor, rows, cols, 0, 1, new Coefficients.LowRank(1, codes, codes));
  }

  private Path write(Adapter.Builder adapter) throws IOException {
    return Files.write(
        folder.resolve("other.nola"),
        Reconstructor.standard().seal(adapter.generator(Generator.RADEMACHER).build()).toBytes());
  }

  private static void requireMismatch(Outcome outcome, String error) {
    assertThat(outcome.exitCode()).isEqualTo(1);
    assertThat(outcome.json().get("kind").asString()).isEqualTo("mismatched-adapter");
    assertThat(outcome.json().get("error").asString()).contains(error);
  }

  @Test
  void labelsOfAnotherNumberThanTheClasses_areRefused() throws IOException {
    model("bert");
    BaseModel.TargetShape query = BaseModel.targets(folder.resolve("model")).getFirst();
    int rows = query.shape().getFirst().intValue();
    int cols = query.shape().getLast().intValue();
    byte[] classifier = new byte[3 * cols * Float.BYTES];
    Path adapter =
        write(
            Adapter.builder()
                .layer(layer(query.name(), rows, cols))
                .dense(
                    new DenseTensor(
                        "classifier.weight",
                        DType.F32,
                        List.of(3, cols),
                        MemorySegment.ofArray(classifier)))
                .metadata(
                    Metadata.of("", "text-classification", "")
                        .withProvenance(
                            StatedHead.provenance(
                                HeadClass.BERT, Pooling.CLS, List.of("a", "b")))));

    requireMismatch(
        nola("predict", folder.resolve("model"), adapter, "w1", "--json"),
        "adapter states 2 labels; its classifier has 3 classes");
  }

  @Test
  void adapterOfAnotherModel_isRefused() throws IOException {
    model("llama-tied-grouped");
    Path model = folder.resolve("model");
    for (Layer layer :
        List.of(layer("w", 8, 8), layer("model.layers.0.self_attn.q_proj.weight", 8, 9))) {
      Path adapter = write(Adapter.builder().layer(layer));

      requireMismatch(
          nola("generate", "--base", model, "--adapter", adapter, "--prompt", "w1", "--json"),
          "tensor " + layer.tensor());
    }
  }

  @ParameterizedTest
  @CsvSource({"llama-untied,[last-token]", "gpt2,[]", "timm-vit-avg,[mean]"})
  void adapterWithAClassifierThatTheModelCannotHave_isRefused(String name, String possible)
      throws IOException {
    model(name);
    Path adapter =
        write(
            Adapter.builder()
                .layer(layer("w", 8, 8))
                .metadata(
                    Metadata.of("", "", "").withProvenance(Map.of(StatedHead.POOLING, "cls"))));

    requireMismatch(
        nola("evaluate", folder.resolve("model"), adapter, "--data", "none.tsv", "--json"),
        "adapter does not match the base model: classifier of the pooling cls; the model may have "
            + possible);
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
    double loss = trained.get("validationLoss").asDouble();
    double baseLoss = trained.get("baseValidationLoss").asDouble();
    assertThat(baseLoss).isGreaterThan(loss + 1);
    Path model = folder.resolve("model");
    Path adapter = folder.resolve("a.nola");
    JsonNode evaluated =
        json("evaluate", model, adapter, "--data", folder.resolve("data"), "--format", "jsonl");
    assertThat(evaluated.get("examples").asInt()).isEqualTo(32);
    assertThat(evaluated.get("loss").asDouble()).isCloseTo(loss, within(1e-5));
    assertThat(evaluated.get("baseLoss").asDouble()).isCloseTo(baseLoss, within(1e-5));
    Path mixed =
        Files.writeString(
            folder.resolve("mixed.jsonl"),
            "{\"prompt\": \"%s\", \"completion\": \" w9\"}\n".formatted("w21 ".repeat(40).strip())
                + "{\"prompt\": \"w21 w7\", \"completion\": \" w9\"}\n");
    JsonNode skipped = json("evaluate", model, adapter, "--data", mixed, "--max-tokens", "16");
    assertThat(skipped.get("examples").asInt()).isEqualTo(1);
    assertThat(skipped.get("skippedExamples").asInt()).isEqualTo(1);
    JsonNode predicted = json("predict", model, adapter, "w21 w7", "--max-tokens", "3");
    assertThat(predicted.at("/predictions/0/completion").asString())
        .isEqualToIgnoringWhitespace("w9w11w13");
    Path prompts = Files.writeString(folder.resolve("prompts.txt"), "w21 w7\n\nw22 w7\n");
    assertThat(json("predict", model, adapter, "--data", prompts).get("predictions")).hasSize(2);
  }

  /** The adapter is trained on the rounded base, and used with the model as it is. */
  @Test
  void adapterOfABaseOf8Bits_suitsTheExactOne() throws Exception {
    model("llama-tied-grouped");
    texts();
    job("causal-lm", "format: jsonl", NOLA + ", targets: all-linear", 0.1);
    Path job = folder.resolve("job.yaml");
    Files.writeString(job, Files.readString(job).replace("tiny", "tiny, baseType: int8"));
    Path adapter = folder.resolve("a.nola");
    TrainingRun.Result result =
        new TrainingRun(JobFile.read(job), adapter, false, (_, _, _) -> {}).run();
    assertThat(AdapterFile.read(adapter).adapter().metadata().provenance())
        .containsEntry("base type", "int8");
    JsonNode exact =
        json(
            "evaluate",
            folder.resolve("model"),
            adapter,
            "--data",
            folder.resolve("data"),
            "--format",
            "jsonl");
    assertThat(exact.get("loss").asDouble())
        .isCloseTo(result.evaluation().loss(), within(0.02))
        .isNotEqualTo(result.evaluation().loss())
        .isLessThan(exact.get("baseLoss").asDouble() - 1);
  }

  private static JsonNode json(String command, Object... args) {
    return JsonMapper.shared().readTree(output(new String[] {command, "--json"}, args));
  }

  /** As a merge does. */
  @Test
  void baseModelOfAnotherAdapter_isRefusedOrWarnedOf() throws IOException {
    model("llama-tied-grouped");
    texts();
    train("causal-lm", "format: jsonl", NOLA, 0.1);
    Path weights = folder.resolve("model/model.safetensors");
    byte[] changed = Files.readAllBytes(weights);
    for (int i = changed.length / 2; i < changed.length; i += Float.BYTES) {
      changed[i] ^= 1;
    }
    Files.write(weights, changed);
    String model = folder.resolve("model").toString();
    String adapter = folder.resolve("a.nola").toString();
    String data = folder.resolve("data").toString();
    for (List<String> command :
        List.of(
            List.of("evaluate", model, adapter, "--data", data, "--format", "jsonl"),
            List.of("predict", model, adapter, "w21 w7"),
            List.of("generate", "--base", model, "--adapter", adapter, "--prompt", "w21 w7"))) {
      Outcome refused = nola(command, "--json");
      assertThat(refused.exitCode()).as("%s", command).isEqualTo(1);
      assertThat(refused.json().get("kind").asString()).isEqualTo("base");
      assertThat(refused.err())
          .contains(model + " is not the base model that the adapter was made for (tiny)")
          .contains("pass --allow-base-mismatch");
      Outcome warned = nola(command, "--allow-base-mismatch");
      assertThat(warned.exitCode()).isZero();
      assertThat(warned.err()).startsWith("warning: " + model + " is not the base model");
      Outcome skipped = nola(command, "--skip-base-check");
      assertThat(skipped.exitCode()).isZero();
      assertThat(skipped.err()).isEmpty();
    }
  }

  /** Renames tensors in the header of the model's file, and fills it with blanks. */
  private void rename(String from, String to) throws IOException {
    Path weights = folder.resolve("model/model.safetensors");
    ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(weights)).order(ByteOrder.LITTLE_ENDIAN);
    int length = Math.toIntExact(file.getLong());
    String header = new String(file.array(), Long.BYTES, length, StandardCharsets.UTF_8);
    byte[] renamed = header.replace('"' + from, '"' + to).strip().getBytes(StandardCharsets.UTF_8);
    int padded = (renamed.length + 7) / 8 * 8;
    ByteBuffer changed =
        ByteBuffer.allocate(file.capacity() - length + padded).order(ByteOrder.LITTLE_ENDIAN);
    changed.putLong(padded).put(renamed);
    while (changed.position() < Long.BYTES + padded) {
      changed.put((byte) ' ');
    }
    Files.write(
        weights, changed.put(file.array(), Long.BYTES + length, file.remaining() - length).array());
  }

  /** A checkpoint of LlamaModel instead of LlamaForCausalLM has other names. */
  @Test
  void adapterOfAModelWithOrWithoutAHead_worksWithEither() throws IOException {
    model("llama-tied-grouped");
    texts();
    Path model = folder.resolve("model");
    train("causal-lm", "format: jsonl", NOLA, 0.1);
    String predicted = nola("predict", model, folder.resolve("a.nola"), "w21 w7").out();
    assertThat(predicted).contains("w9 w11 w13");

    rename("model.", "");

    Outcome bare = nola("predict", model, folder.resolve("a.nola"), "w21 w7");
    assertThat(bare.err()).isEmpty();
    assertThat(bare.out()).isEqualTo(predicted);
    assertThat(nola("targets", model).out()).contains("layers.0.self_attn.q_proj.weight");
    Files.delete(folder.resolve("a.nola"));
    FileTree.delete(folder.resolve("a.nola.run"));
    train("causal-lm", "format: jsonl", NOLA, 0.1);

    for (String name : List.of("embed_tokens.", "layers.", "norm.")) {
      rename(name, "model." + name);
    }

    Outcome whole = nola("predict", model, folder.resolve("a.nola"), "w21 w7");
    assertThat(whole.err()).isEmpty();
    assertThat(whole.out()).isEqualTo(predicted);
  }

  /** Ends a run in the middle, resumes it, and reads its file back. */
  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "mistral", "qwen2", "qwen3", "gemma2", "llama-rope-yarn"})
  void languageModelOfEachKind_isTrainedAndResumed(String name) throws Exception {
    model(name);
    Path config = folder.resolve("model/config.json");
    ObjectNode json = (ObjectNode) JsonMapper.shared().readTree(Files.readAllBytes(config));
    Files.writeString(config, json.put("eos_token_id", 2).toString());
    texts();
    String method =
        "name: nola, targets: all-linear, rank: 4, k: 16, l: 16, bits: 4, quantizationAware: {from:"
            + " 0.3}"; // the interruption comes later
    job("causal-lm", "format: jsonl", method, 0.1);
    TrainingJob job = JobFile.read(folder.resolve("job.yaml"));
    Path whole = folder.resolve("whole.nola");
    TrainingRun.Result result = InterruptedRun.requireSameBytes(job, whole);

    Path data = folder.resolve("data.jsonl");
    Files.copy(folder.resolve("data"), data);
    JsonNode measured = json("evaluate", folder.resolve("model"), whole, "--data", data);
    assertThat(measured.get("loss").asDouble())
        .isCloseTo(result.evaluation().loss(), within(1e-5))
        .isLessThan(measured.get("baseLoss").asDouble() - 0.1);
  }

  /** Those of RoBERTa are in {@link TrainRobertaTest}. */
  @ParameterizedTest
  @ValueSource(strings = {"bert", "bert-classifier", "llama-classifier"})
  void classifierOfEachKind_isTrainedAndResumed(String name) throws Exception {
    model(name);
    TinyModels.writeGlosses(folder);
    job("classification", "format: tsv", NOLA + ", targets: all-linear", 0.03);
    TrainingJob job = JobFile.read(folder.resolve("job.yaml"));
    Path whole = folder.resolve("whole.nola");
    assertThat(InterruptedRun.requireSameBytes(job, whole).evaluation().accuracy())
        .isGreaterThan(0.9);
  }

  @Test
  void languageModelWithoutAnOutputEmbedding_isRefused() throws IOException {
    model("llama-untied");
    rename("lm_head.weight", "other.weight");
    Outcome refused = nola("generate", "--base", folder.resolve("model"), "--prompt", "w1");
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.err())
        .contains("missing tensor: lm_head.weight; a language model must have it");
  }

  /** As a merge does. */
  @Test
  void quantizedBaseModel_isRefusedWithTheRemedy() throws IOException {
    model("llama-tied-grouped");
    Path config = folder.resolve("model/config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replaceFirst(
                "\\{", "{\"quantization_config\": {\"quant_method\": \"bitsandbytes\"},"));
    String header =
        """
        {"w.SCB":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
         "w.weight":{"dtype":"I8","shape":[1,4],"data_offsets":[4,8]}}""";
    Files.write(
        folder.resolve("model/model.safetensors"),
        ByteBuffer.allocate(Long.BYTES + header.length() + Float.BYTES + 4)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(header.length())
            .put(header.getBytes(StandardCharsets.UTF_8))
            .array());
    texts();
    job("causal-lm", "format: jsonl", NOLA, 0.1);
    String model = folder.resolve("model").toString();
    for (List<String> command :
        List.of(
            List.of("train", folder.resolve("job.yaml").toString(), "-o", folder + "/a.nola"),
            List.of("targets", model),
            List.of("generate", "--base", model, "--prompt", "w21"))) {
      Outcome refused = nola(command.toArray());
      assertThat(refused.exitCode()).isEqualTo(1);
      assertThat(refused.err())
          .contains("is quantized (8-bit bitsandbytes)", "nola dequantize BASE -o DIR");
    }
    String gguf = Files.writeString(folder.resolve("m.gguf"), "GGUF" + "\0".repeat(20)).toString();
    assertThat(nola("targets", gguf).err()).contains("nola dequantize FILE -o DIR");
  }

  @Test
  void maxTokens_isWhatTheModelAllowsByDefault_andNotMore() throws IOException {
    model("llama-tied-grouped");
    texts();
    job("causal-lm", "format: jsonl", NOLA, 0.1);
    Path job = folder.resolve("job.yaml");
    String text = Files.readString(job).replace("steps: 80", "steps: 2");
    String[] train = {"train", job.toString(), "-o", folder.resolve("a.nola").toString()};
    Files.writeString(job, text.replace("maxTokens: 16", "maxTokens: 65"));
    Outcome tooLong = nola((Object[]) train);
    assertThat(tooLong.exitCode()).isEqualTo(2);
    assertThat(tooLong.err())
        .contains("invalid data.maxTokens: 65; must be at most 64, by the max_");
    Files.writeString(job, text.replace(", maxTokens: 16", ""));
    assertThat(nola(List.of(train), "--resume").exitCode()).isZero();
    Outcome evaluated =
        nola(
            "evaluate",
            folder.resolve("model"),
            train[3],
            "--data",
            folder.resolve("data"),
            "--format",
            "jsonl",
            "--max-tokens",
            65);
    assertThat(evaluated.exitCode()).isEqualTo(2);
    assertThat(evaluated.err()).contains("invalid --max-tokens: 65; must be at most 64");
  }

  @ParameterizedTest
  @CsvSource({"llama-tied-grouped, max_position_embeddings", "gpt2, n_positions"})
  void continuation_endsWithTheModelsPositions(String name, String key) throws IOException {
    model(name);
    Path model = folder.resolve("model");
    Path config = model.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config).replaceFirst("\"eos_token_id\": \\d+", "\"eos_token_id\": 99"));
    int positions = JsonMapper.shared().readTree(Files.readString(config)).get(key).asInt();
    for (String beams : List.of("1", "2")) {
      String[] command = {"generate", "--base", model.toString(), "--beams", beams, "--json"};
      Outcome continued =
          nola(
              Stream.concat(
                      Stream.of(command), Stream.of("--max-tokens=100000", "--prompt=w5 w6 w7"))
                  .toArray());
      assertThat(continued.err()).isEmpty();
      assertThat(continued.json().get("tokens").size())
          .isGreaterThan(positions / 2)
          .isLessThan(positions);
    }
    Outcome tooLong =
        nola("generate", "--base", model, "--prompt", "w5 ".repeat(positions).strip());
    assertThat(tooLong.exitCode()).isEqualTo(2);
    assertThat(tooLong.err())
        .contains(
            "prompt \"w5 w5 ", "tokens; must have fewer than " + positions + ", by the " + key)
        .hasLineCount(1);
  }

  @Test
  void continuation_endsWhenEveryTokenWouldRepeatASequence() throws IOException {
    model("llama-tied-grouped");
    JsonNode continued =
        json(
            "generate",
            "--base",
            folder.resolve("model"),
            "--max-tokens",
            60,
            "--no-repeat-ngram",
            1,
            "--prompt",
            "w5 w6");
    List<Integer> tokens = continued.get("tokens").valueStream().map(JsonNode::asInt).toList();
    assertThat(tokens).doesNotHaveDuplicates();
  }

  @Test
  void chats_areToldFromPrompts_andAChatTemplateIsWarnedOf() throws IOException {
    model("llama-tied-grouped");
    Files.writeString(folder.resolve("model/chat_template.jinja"), "{{ messages }}");
    Files.writeString(
        folder.resolve("data"),
        "{\"messages\": [{\"role\": \"assistant\", \"content\": \"w9\"}]}\n");
    job("causal-lm", "format: chat", NOLA, 0.01);
    Outcome trained =
        nola("train", folder.resolve("job.yaml").toString(), "-o", folder + "/a.nola");
    assertThat(trained.exitCode()).isZero();
    assertThat(trained.err()).startsWith("warning: chat template of " + folder.resolve("model"));
    Path chats = Files.copy(folder.resolve("data"), folder.resolve("chats.jsonl"));
    JsonNode evaluated =
        json("evaluate", folder.resolve("model"), folder.resolve("a.nola"), "--data", chats);
    assertThat(evaluated.get("examples").asInt()).isEqualTo(1);
  }

  @Test
  void tooManyCoefficientsForTheSmallestTarget_areNamedByKey() throws IOException {
    model("llama-tied-grouped");
    texts();
    job("causal-lm", "format: jsonl", "name: nola, rank: 1, targets: all-linear", 0.1);
    Path job = folder.resolve("job.yaml");
    Outcome refused = nola("train", job.toString(), "-o", folder + "/a.nola");
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err())
        .contains(
            "method.k too large for tensor model.layers.0.self_attn.k_proj.weight: 64; must be at most 16")
        .contains("; lower method.k or raise method.rank")
        .contains("method.l too large for tensor");
  }

  @Test
  void classThatTheAdapterDoesNotHave_isNamedByItsClasses() throws IOException {
    model("bert");
    glosses();
    train("classification", "format: tsv", NOLA + ", targets: qv", 0.03);
    Path data = Files.writeString(folder.resolve("other.tsv"), "text\tlabel\nw20 w8\tmoney\n");
    Outcome refused =
        nola("evaluate", folder + "/model", folder + "/a.nola", "--data", data.toString());
    assertThat(refused.err())
        .contains("unknown class: \"money\"; must be one of the adapter's classes, such as a, b");
  }

  @Test
  void nameOfTheBaseModelIsTakenFromItsConfig() throws IOException {
    model("llama-tied-grouped");
    texts();
    Path config = folder.resolve("model/config.json");
    String stated =
        Files.readString(config).replaceFirst("\\{", "{\"_name_or_path\": \"acme/tiny\",");
    for (String name : new String[] {"acme/tiny", "/home/ann/tiny", "./tiny"}) {
      Files.writeString(config, stated.replace("acme/tiny", name));
      assertThat(BaseModel.statedName(folder.resolve("model")))
          .isEqualTo(name.startsWith("acme") ? name : "");
    }
  }

  @Test
  void targetsAreListedWithTheSetsThatHaveThem() throws IOException {
    model("llama-tied-grouped");
    JsonNode targets = json("targets", folder.resolve("model")).get("targets");

    assertThat(targets).hasSize(14);
    assertThat(targets.get(0).get("tensor").asString())
        .isEqualTo("model.layers.0.self_attn.q_proj.weight");
    assertThat(targets.get(0).get("shape")).hasSize(2);
    assertThat(targets.get(0).get("sets").toString()).isEqualTo("[\"qv\",\"all-linear\"]");
    assertThat(output(new String[] {"targets"}, folder.resolve("model")))
        .startsWith("tensor ")
        .contains("mlp.gate_proj.weight", "mlp, all-linear");
  }

  private static float[] floats(SafetensorsFile file, String key) {
    return FloatElements.widened(DType.F32, file.tensors().get(key).data());
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
    LoraExport.of(file, PeftFormat.STANDARD).build().write(peft);
    Path merged = folder.resolve("merged");
    ModelMerge.into(folder.resolve("model")).adapter(file).build().write(merged);

    try (SafetensorsFile lora = SafetensorsFile.open(peft.resolve(PeftFormat.WEIGHTS));
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

  @Test
  void manyPromptsAreContinuedAsOneIs() throws IOException {
    model("llama-tied-grouped");
    Path model = folder.resolve("model");
    List<String> texts = List.of("w21 w7", "w1", "w22 w7", "w3 w5 w8");
    Path prompts =
        Files.writeString(
            folder.resolve("prompts.jsonl"),
            texts.stream().map("{\"prompt\": \"%s\"}\n"::formatted).collect(Collectors.joining()));
    for (List<String> options :
        List.of(List.<String>of(), List.of("--beams", "3", "--no-repeat-ngram", "2"))) {
      List<Object> command = new ArrayList<>(List.of("--base", model, "--max-tokens", "6"));
      command.addAll(options);
      Object[] same = command.toArray();
      JsonNode all = json("generate", and(same, "--prompts", prompts)).get("continuations");
      assertThat(all).hasSize(texts.size());
      assertThat(nola(and(same, "generate", "--prompts", prompts)).out())
          .isEqualTo(
              all.valueStream()
                  .map(each -> each.get("text").asString() + System.lineSeparator())
                  .collect(Collectors.joining()));
      for (int i = 0; i < texts.size(); i++) {
        JsonNode one = json("generate", and(same, "--prompt", texts.get(i)));
        assertThat(all.get(i).get("tokens")).isEqualTo(one.get("tokens"));
        assertThat(all.get(i).get("prompt").asString()).isEqualTo(texts.get(i));
        Outcome streamed = nola(and(same, "generate", "--prompt", texts.get(i)));
        assertThat(streamed.out()).isEqualTo(one.get("text").asString() + System.lineSeparator());
      }
    }
    assertThat(nola("generate", "--base", model).err()).contains("missing --prompt, or --prompts");
    assertThat(nola("generate", "--base", model, "--prompt", "w1", "--beams", "0").err())
        .contains("invalid --beams: 0; must be at least 1");
  }

  private static Object[] and(Object[] some, Object... first) {
    return Stream.concat(Stream.of(first), Stream.of(some)).toArray();
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
    Outcome outcome = nola(Stream.concat(Stream.of(command), Stream.of(more)).toArray());
    assertThat(outcome.err().lines())
        .allMatch(
            said ->
                said.contains("LoRA of PEFT")
                    || said.contains("names of tensors")
                    || said.contains("does not state the identity of its base model"));
    assertThat(outcome.exitCode()).isZero();
    return outcome.out();
  }

  private void glosses() throws IOException {
    TinyModels.writeGlosses(folder);
  }

  /** Evaluates a merged model as the class that its config names. */
  private double accuracyOfMerged(AdapterFile file) throws Exception {
    Path merged = folder.resolve("merged");
    ModelMerge.into(folder.resolve("model")).adapter(file).build().write(merged);
    Dataset data =
        DatasetReader.read(
            new DataFiles(
                new DataFiles.Layout.LabelledTsv("text", "label"),
                folder.resolve("data"),
                folder.resolve("data"),
                16,
                100,
                100),
            merged);
    try (BaseModel model = BaseModel.load(merged)) {
      return Evaluation.of(
              model.network(),
              new AdaptedWeights(model, List.of(), Kernels.chosen()),
              data.validation(),
              16)
          .accuracy();
    }
  }

  private JsonNode config(String model) throws IOException {
    return JsonMapper.shared()
        .readTree(Files.readAllBytes(folder.resolve(model).resolve("config.json")));
  }

  /** The base has no pooler, so a new one is trained and stored. */
  @Test
  void encoderLearnsToClassify() throws Exception {
    model("bert");
    glosses();
    JsonNode trained = train("classification", "format: tsv", NOLA + ", targets: qv", 0.03);
    assertThat(trained.get("validationAccuracy").asDouble()).isGreaterThan(0.9);
    AdapterFile file = AdapterFile.read(folder.resolve("a.nola"));
    assertThat(file.adapter().metadata().task()).isEqualTo("text-classification");
    assertThat(file.adapter().metadata().provenance())
        .containsEntry("head", "BertForSequenceClassification")
        .containsEntry("pooling", "cls")
        .containsEntry("labels", "[\"a\",\"b\"]");
    assertThat(file.adapter().layers())
        .extracting(Layer::tensor)
        .contains("encoder.layer.0.attention.self.query.weight");
    assertThat(file.adapter().dense())
        .extracting(tensor -> tensor.name())
        .containsExactly(
            "classifier.bias", "classifier.weight", "pooler.dense.bias", "pooler.dense.weight");
    Path model = folder.resolve("model");
    Path adapter = folder.resolve("a.nola");
    Path data = folder.resolve("data");
    JsonNode evaluated = json("evaluate", model, adapter, "--data", data, "--format", "tsv");
    assertThat(evaluated.get("accuracy").asDouble())
        .isEqualTo(trained.get("validationAccuracy").asDouble());
    assertThat(evaluated.get("baseLoss").isNull()).isTrue();
    String[] first = Files.readAllLines(data).get(1).split("\t");
    boolean isTextFirst = Files.readAllLines(data).get(0).startsWith("text");
    JsonNode predicted =
        json("predict", model, adapter, first[isTextFirst ? 0 : 1]).at("/predictions/0");
    assertThat(predicted.get("label").asString()).isEqualTo(first[isTextFirst ? 1 : 0]);
    assertThat(predicted.at("/probabilities/a").asDouble())
        .isCloseTo(1 - predicted.at("/probabilities/b").asDouble(), within(1e-5));
    Path table = Files.copy(data, folder.resolve("data.tsv"));
    assertThat(json("predict", model, adapter, "--data", table).get("predictions"))
        .hasSize(Files.readAllLines(data).size() - 1);
    assertThat(accuracyOfMerged(file)).isEqualTo(trained.get("validationAccuracy").asDouble());
    assertThat(config("merged").get("architectures").get(0).asString())
        .isEqualTo("BertForSequenceClassification");
    assertThat(config("merged").get("id2label").toString()).isEqualTo("{\"0\":\"a\",\"1\":\"b\"}");
    assertThat(config("merged").get("label2id").toString()).isEqualTo("{\"a\":0,\"b\":1}");
    try (Model merged = Model.open(folder.resolve("merged"))) {
      assertThat(merged.tensors().keySet())
          .contains("classifier.weight", "bert.pooler.dense.weight")
          .allMatch(name -> name.startsWith("bert.") || name.startsWith("classifier."));
    }
  }

  @Test
  void languageModelLearnsToClassifyByItsLastToken() throws Exception {
    model("llama-untied");
    glosses();
    JsonNode trained = train("classification", "format: tsv", NOLA + ", targets: all-linear", 0.1);
    assertThat(trained.get("validationAccuracy").asDouble()).isGreaterThan(0.9);
    AdapterFile file = AdapterFile.read(folder.resolve("a.nola"));
    assertThat(file.adapter().metadata().provenance())
        .containsEntry("head", "LlamaForSequenceClassification")
        .containsEntry("pooling", "last-token");
    assertThat(file.adapter().dense())
        .extracting(tensor -> tensor.name())
        .containsExactly("score.weight");
    assertThat(accuracyOfMerged(file)).isEqualTo(trained.get("validationAccuracy").asDouble());
    try (Model merged = Model.open(folder.resolve("merged"))) {
      assertThat(merged.tensors().keySet())
          .contains("score.weight")
          .doesNotContain("lm_head.weight");
    }
  }

  /** Also full training, which stores every tensor that the head uses. */
  @ParameterizedTest
  @ValueSource(strings = {"bert-classifier", "llama-untied"})
  void wholeModelLearnsToClassify(String model) throws Exception {
    model(model);
    glosses();
    JsonNode trained = train("classification", "format: tsv", "name: full, denseType: f32", 0.01);
    assertThat(trained.get("validationAccuracy").asDouble()).isGreaterThan(0.9);
  }

  @Test
  void classifierOnTheMean_isNotExportedAndEvaluatesAsBefore() throws Exception {
    model("bert");
    glosses();
    pooling = "mean";
    JsonNode trained = train("classification", "format: tsv", NOLA + ", targets: qv", 0.1);
    assertThat(trained.get("validationAccuracy").asDouble()).isGreaterThan(0.9);
    AdapterFile file = AdapterFile.read(folder.resolve("a.nola"));
    assertThat(file.adapter().metadata().provenance())
        .containsEntry("pooling", "mean")
        .doesNotContainKey("head");
    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(
            () -> LoraExport.of(file, PeftFormat.STANDARD).build().write(folder.resolve("peft")))
        .withMessageContaining("sees the mean over all tokens, which no class of Transformers");
    assertThatExceptionOfType(MergeRefusedException.class)
        .isThrownBy(() -> accuracyOfMerged(file))
        .withMessageContaining("sees the mean over all tokens, which no class of Transformers");
    Adapter.Builder builder =
        Adapter.builder()
            .generator(file.adapter().generator())
            .seed(file.adapter().seed())
            .metadata(Metadata.of("", "classification", ""));
    file.adapter().layers().forEach(builder::layer);
    file.adapter().dense().forEach(builder::dense);
    AdapterFile former = Reconstructor.standard().seal(builder.build());
    for (AdapterFile adapter : List.of(file, former)) {
      try (BaseModel base = BaseModel.loadFor(folder.resolve("model"), adapter.adapter())) {
        assertThat(Objects.requireNonNull(base.network().head()).pooling()).isEqualTo(Pooling.MEAN);
      }
    }
  }
}

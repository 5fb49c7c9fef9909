package dev.nola.client.export.peft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.ExportRefusedException.Reason;
import dev.nola.client.export.LoraExport;
import dev.nola.client.export.LoraExport.Report;
import dev.nola.client.peft.TaskType;
import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.client.safetensors.Tensor;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class PeftExportTest {
  private static final String Q0 = "model.layers.0.self_attn.q_proj";
  private static final String Q1 = "model.layers.1.self_attn.q_proj";
  private static final String C_ATTN = "transformer.h.0.attn.c_attn";

  @TempDir private Path folder;

  private final Random random = new Random(1);

  @ParameterizedTest
  @EnumSource(value = Generator.class, names = "IDENTITY", mode = EnumSource.Mode.EXCLUDE)
  void inF32TheProductIsTheDeltaBitForBit(Generator generator) throws Exception {
    for (int bits : List.of(1, 4, 16)) {
      AdapterFile file =
          seal(Adapter.builder().generator(generator).layer(matrix(Q0, 24, 16, 3, bits)));

      Path lora = folder.resolve(generator + "-" + bits);
      LoraExport.of(file, PeftFormat.STANDARD).build().write(lora);

      assertThat(linearDelta(lora, Q0)).isEqualTo(delta(file, 0));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 16})
  void loraOfAnAdapterThatIsOneIsTheSame(int bits) throws Exception {
    Layer layer =
        Layer.ofMatrix(
            Q0 + ".weight",
            24,
            16,
            0,
            0x1.9p-30f,
            new LowRank(3, codes(bits, 3 * 24), codes(bits, 3 * 16)));
    AdapterFile file = seal(Adapter.builder().generator(Generator.IDENTITY).layer(layer));

    Path lora = folder.resolve("lora");
    LoraExport.of(file, PeftFormat.STANDARD).build().write(lora);

    assertThat(linearDelta(lora, Q0)).isEqualTo(delta(file, 0));
  }

  @ParameterizedTest
  @ValueSource(floats = {Layer.MIN_SCALE, Layer.MAX_SCALE})
  void theExtremesOfScaleLoseNothing(float scale) throws Exception {
    Layer layer = Layer.ofMatrix(Q0 + ".weight", 24, 16, 0, scale, lowRank(3, 16));
    AdapterFile file = seal(Adapter.builder().generator(Generator.UNIFORM24).layer(layer));

    export(file);

    assertThat(linearDelta(lora(), Q0)).isEqualTo(delta(file, 0));
  }

  @Test
  void aLinearHasItsKeysAndShapes() throws Exception {
    export(seal(layers(matrix(Q0, 24, 16, 3, 4))));

    try (SafetensorsFile weights = weights()) {
      assertThat(weights.tensors().values())
          .extracting(Tensor::toString)
          .containsExactly(
              "base_model.model." + Q0 + ".lora_A.weight F32[3, 16]",
              "base_model.model." + Q0 + ".lora_B.weight F32[24, 3]");
      assertThat(weights.metadata()).containsEntry("format", "pt");
    }
  }

  @Test
  void aConv1dIsTransposed() throws Exception {
    AdapterFile file = seal(layers(matrix(C_ATTN, 16, 48, 3, 4)));

    export(file);

    try (SafetensorsFile weights = weights()) {
      assertThat(weights.tensors().values())
          .extracting(Tensor::toString)
          .containsExactly(
              "base_model.model." + C_ATTN + ".lora_A.weight F32[3, 16]",
              "base_model.model." + C_ATTN + ".lora_B.weight F32[48, 3]");
    }
    assertThat(transposed(linearDelta(lora(), C_ATTN))).isEqualTo(delta(file, 0));
    assertThat(config().get("fan_in_fan_out").asBoolean()).isTrue();
  }

  @Test
  void slicesOfColumnsBecomeOneLoraOfTheWholeWeight() throws Exception {
    List<Integer> shape = List.of(16, 48);
    Layer query = part(C_ATTN, shape, new Slice(1, 0, 16), 16, 16, 3);
    Layer value = part(C_ATTN, shape, new Slice(1, 32, 16), 16, 16, 2);
    AdapterFile file = seal(layers(query, value));

    Report report = export(file);

    double[][] expected = new double[16][48];
    double[][] queryDelta = delta(file, 0);
    double[][] valueDelta = delta(file, 1);
    for (int i = 0; i < 16; i++) {
      System.arraycopy(queryDelta[i], 0, expected[i], 0, 16);
      System.arraycopy(valueDelta[i], 0, expected[i], 32, 16);
    }
    assertThat(report.rank()).isEqualTo(5);
    assertThat(report.modules()).isEqualTo(1);
    assertThat(transposed(linearDelta(lora(), C_ATTN))).isEqualTo(expected);
  }

  @Test
  void slicesOfRowsBecomeOneLoraOfTheWholeWeight() throws Exception {
    String name = "model.layers.0.self_attn.qkv_proj";
    List<Integer> shape = List.of(40, 12);
    Layer first = part(name, shape, new Slice(0, 0, 10), 10, 12, 2);
    Layer last = part(name, shape, new Slice(0, 30, 10), 10, 12, 2);
    AdapterFile file = seal(layers(first, last));

    export(file);

    double[][] expected = new double[40][12];
    System.arraycopy(delta(file, 0), 0, expected, 0, 10);
    System.arraycopy(delta(file, 1), 0, expected, 30, 10);
    assertThat(linearDelta(lora(), name)).isEqualTo(expected);
  }

  @Test
  void modulesHaveTheirOwnRanksAndNothingIsScaled() throws Exception {
    AdapterFile file = seal(layers(matrix(Q0, 24, 16, 3, 4), matrix(Q1, 24, 16, 7, 4)));

    Report report = export(file);

    assertThat(report.rank()).isEqualTo(7);
    assertThat(config().get("r").asInt()).isEqualTo(7);
    assertThat(config().get("lora_alpha").asInt()).isEqualTo(7);
    for (String pattern : List.of("rank_pattern", "alpha_pattern")) {
      assertThat(config().get(pattern).toString()).isEqualTo("{\"%s\":3}".formatted(Q0));
    }
    assertThat(shapeOfA(Q0)).containsExactly(3L, 16L);
    assertThat(linearDelta(lora(), Q0)).isEqualTo(delta(file, 0));
    assertThat(linearDelta(lora(), Q1)).isEqualTo(delta(file, 1));
  }

  @Test
  void forVllmAllModulesHaveTheLargestRank() throws Exception {
    AdapterFile file = seal(layers(matrix(Q0, 24, 16, 3, 4), matrix(Q1, 24, 16, 7, 4)));

    LoraExport.of(file, PeftFormat.FOR_VLLM).baseName("acme/x").build().write(lora());

    assertThat(config().get("rank_pattern").isEmpty()).isTrue();
    assertThat(shapeOfA(Q0)).containsExactly(7L, 16L);
    assertThat(linearDelta(lora(), Q0)).isEqualTo(delta(file, 0));
  }

  private List<Long> shapeOfA(String module) throws IOException {
    try (SafetensorsFile weights = SafetensorsFile.open(lora().resolve(PeftFormat.WEIGHTS))) {
      return weights.tensors().get("base_model.model." + module + ".lora_A.weight").shape();
    }
  }

  private Path embeddingBase(boolean isTied) throws IOException {
    Path base = Files.createDirectory(folder.resolve("base"));
    List<Slot> slots =
        List.of(
            new Slot("model.embed_tokens.weight", "F32", List.of(32L, 8L), 1024),
            new Slot(Q0 + ".weight", "F32", List.of(24L, 16L), 1536));
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(base.resolve("model.safetensors"), slots, Map.of())) {
      for (Slot slot : slots) {
        writer.write(slot.name(), MemorySegment.ofArray(new byte[(int) slot.bytes()]));
      }
    }
    Files.writeString(
        base.resolve("config.json"),
        "{\"model_type\":\"llama\",\"tie_word_embeddings\":%s}".formatted(isTied));
    return base;
  }

  @Test
  void inputEmbeddingThatTheBaseDoesNotTieIsExported() throws Exception {
    Path base = embeddingBase(false);
    AdapterFile file = seal(layers(matrix("model.embed_tokens", 32, 8, 2, 4)));

    LoraExport.of(file, PeftFormat.STANDARD).base(base).build().write(lora());

    try (SafetensorsFile weights = SafetensorsFile.open(lora().resolve(PeftFormat.WEIGHTS))) {
      String module = "model.embed_tokens.lora_embedding_";
      float[] a = floats(weights, module + "A");
      float[] b = floats(weights, module + "B");
      double[][] expected = delta(file, 0);
      for (int i = 0; i < 32; i++) {
        for (int j = 0; j < 8; j++) {
          double sum = 0;
          for (int t = 0; t < 2; t++) {
            sum += (double) a[t * 32 + i] * b[j * 2 + t];
          }
          assertThat(sum).isEqualTo(expected[i][j]);
        }
      }
    }
    AdapterFile saved =
        seal(layers(matrix(Q0, 24, 16, 2, 4)).dense(dense("model.embed_tokens.weight", 32, 8)));
    LoraExport.of(saved, PeftFormat.STANDARD).base(base).build().write(folder.resolve("saved"));
    assertThat(Files.readString(folder.resolve("saved/adapter_config.json")))
        .contains("modules_to_save\" : [ \"model.embed_tokens\" ]");
  }

  @Test
  void inputEmbeddingThatTheBaseTiesIsRefused() throws Exception {
    Path base = embeddingBase(true);
    AdapterFile file = seal(layers(matrix("model.embed_tokens", 32, 8, 2, 4)));

    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> LoraExport.of(file, PeftFormat.STANDARD).base(base).build().write(lora()))
        .withMessageContaining("output embedding that is tied to it");
  }

  @Test
  void theFactorsAreBalancedByAPowerOfTwo() throws Exception {
    AdapterFile file =
        seal(Adapter.builder().generator(Generator.UNIFORM24).layer(matrix(Q0, 24, 16, 3, 4)));

    export(file);

    try (SafetensorsFile weights = weights()) {
      Factors factors = factors(file, 0);
      float[] b = factors.b();
      assertThat(largest(b)).isGreaterThan(1e6f);
      float[] loraA = floats(weights, Q0 + ".lora_A.weight");
      float[] loraB = floats(weights, Q0 + ".lora_B.weight");
      assertThat(largest(loraA) / largest(loraB)).isBetween(0.24f, 4.01f);
      float power = loraB[0] / factors.a()[0];
      assertThat(power).isEqualTo((float) Math.pow(2, Math.getExponent(power)));
      for (int i = 0; i < loraB.length; i++) {
        assertThat(loraB[i]).isEqualTo(factors.a()[i] * power);
      }
      for (int i = 0; i < loraA.length; i++) {
        assertThat(loraA[i]).isEqualTo(b[i] / power);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"F16, 2e-3", "BF16, 1.6e-2"})
  void theErrorOfRoundingIsReported(DType dtype, double maximum) throws Exception {
    AdapterFile file = seal(layers(matrix(Q0, 24, 16, 3, 4), matrix(Q1, 24, 16, 2, 9)));

    Report report = LoraExport.of(file, PeftFormat.STANDARD).dtype(dtype).build().write(lora());

    double first = relativeError(linearDelta(lora(), Q0), delta(file, 0));
    double second = relativeError(linearDelta(lora(), Q1), delta(file, 1));
    assertThat(report.roundingError()).isCloseTo(Math.max(first, second), within(1e-9));
    assertThat(report.roundingError()).isBetween(1e-6, maximum);
    assertThat(report.leastExact()).isEqualTo(first > second ? Q0 : Q1);
    assertThat(Files.readString(lora().resolve("README.md")))
        .contains("%.2e of the norm".formatted(report.roundingError()));
  }

  @Test
  void aValueTooLargeForF16IsRefusedAndNothingLeft() throws Exception {
    AdapterFile file =
        seal(layers(Layer.ofMatrix(Q0 + ".weight", 24, 16, 0, 0x1p50f, lowRank(3, 4))));

    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(
            () -> LoraExport.of(file, PeftFormat.STANDARD).dtype(DType.F16).build().write(lora()))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.OVERFLOW))
        .withMessageContaining(Q0)
        .withMessageContaining("F16");
    assertThat(folder).isEmptyDirectory();
    LoraExport.of(file, PeftFormat.STANDARD).dtype(DType.BF16).build().write(lora());
  }

  @Test
  void aDeltaOfZeroIsExportedAsZero() throws Exception {
    AdapterFile file = seal(layers(Layer.ofMatrix(Q0 + ".weight", 24, 16, 0, 0, lowRank(3, 4))));

    Report report = LoraExport.of(file, PeftFormat.STANDARD).dtype(DType.F16).build().write(lora());

    assertThat(report.roundingError()).isZero();
    assertThat(linearDelta(lora(), Q0)).isEqualTo(new double[24][16]);
  }

  @Test
  void theConfigTargetsTheAdaptedModulesByTheirWholePaths() throws Exception {
    AdapterFile file =
        seal(
            layers(matrix(Q0, 24, 16, 3, 4), matrix(Q1, 24, 16, 3, 4))
                .base(new BaseModel("some/model", "abc123", null))
                .metadata(Metadata.of("", "text-generation", "")));

    export(file);

    JsonNode config = config();
    assertThat(config.get("target_modules").valueStream().map(JsonNode::asString))
        .containsExactly(Q0, Q1);
    assertThat(config.get("peft_type").asString()).isEqualTo("LORA");
    assertThat(config.get("task_type").asString()).isEqualTo("CAUSAL_LM");
    assertThat(config.get("base_model_name_or_path").asString()).isEqualTo("some/model");
    assertThat(config.get("revision").asString()).isEqualTo("abc123");
    assertThat(config.get("bias").asString()).isEqualTo("none");
    assertThat(config.get("inference_mode").asBoolean()).isTrue();
    assertThat(config.get("fan_in_fan_out").asBoolean()).isFalse();
    assertThat(config.get("modules_to_save").isNull()).isTrue();
    assertThat(config.get("rank_pattern").isEmpty()).isTrue();
    assertThat(config.get("alpha_pattern").isEmpty()).isTrue();
  }

  @Test
  void aBaseNameGivenGoesBeforeThatOfTheAdapterAndWithoutItsRevision() throws Exception {
    AdapterFile file =
        seal(layers(matrix(Q0, 24, 16, 3, 4)).base(new BaseModel("some/model", "abc123", null)));

    LoraExport.of(file, PeftFormat.STANDARD).baseName("my/copy").build().write(lora());

    assertThat(config().get("base_model_name_or_path").asString()).isEqualTo("my/copy");
    assertThat(config().get("revision").isNull()).isTrue();
    assertThat(config().get("task_type").isNull()).isTrue();
  }

  @Test
  void theCardSaysWhereTheLoraComesFrom() throws Exception {
    AdapterFile file =
        seal(
            layers(matrix(Q0, 24, 16, 3, 4))
                .base(new BaseModel("some/model", "", null))
                .metadata(
                    Metadata.of("Speaks like a pirate.", "text-generation", "Apache-2.0")
                        .withTags("fun: yes")
                        .withMetrics(Map.of("loss", 1.5))
                        .withProvenance(Map.of("data|set", "one\ntwo"))));

    export(file);

    assertThat(Files.readString(lora().resolve("README.md")))
        .contains("base_model: \"some/model\"")
        .contains("license: \"apache-2.0\"")
        .contains("- \"fun: yes\"")
        .contains("> Speaks like a pirate.")
        .contains("AutoModelForCausalLM.from_pretrained(\"some/model\")")
        .contains(Sha256.hash(file.toBytes()).toString())
        .contains(file.reconstructionDigest().toString())
        .contains("| loss | 1.5 |")
        .contains("| data\\|set | one two |");
  }

  @Test
  void equalExportsHaveEqualBytes() throws Exception {
    AdapterFile file = seal(layers(matrix(Q0, 24, 16, 3, 4)));
    Report report = export(file);

    Path again = folder.resolve("again");
    LoraExport.of(file, PeftFormat.STANDARD).build().write(again);

    assertThat(report.files())
        .containsExactlyInAnyOrder("adapter_config.json", "adapter_model.safetensors", "README.md");
    assertThat(again).isDirectoryContaining("glob:**/README.md");
    for (String name : report.files()) {
      assertThat(again.resolve(name)).hasSameBinaryContentAs(lora().resolve(name));
    }
  }

  @Test
  void allLayersThatAreNoLoraAreNamedAtOnce() throws Exception {
    AdapterFile file =
        seal(
            layers(
                matrix(Q0, 24, 16, 3, 4),
                Layer.ofMatrix("a.direct.weight", 8, 8, 0, 1, new Direct(codes(4, 8))),
                new Layer("a.conv.weight", List.of(6, 4, 3, 3), null, 12, 18, 0, 1, lowRank(2, 4)),
                new Layer("a.viewed.weight", List.of(6, 8), null, 12, 4, 0, 1, lowRank(2, 4)),
                Layer.ofMatrix("a.experts.gate", 8, 8, 0, 1, lowRank(2, 4)),
                new Layer(
                    "a.experts.up",
                    List.of(3, 8, 8),
                    new Slice(0, 1, 1),
                    8,
                    8,
                    0,
                    1,
                    lowRank(2, 4)),
                matrix("model.embed_tokens", 32, 8, 2, 4),
                matrix("transformer.wpe", 32, 8, 2, 4)));

    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> export(file))
        .satisfies(
            e -> {
              assertThat(e.reason()).isEqualTo(Reason.CONTENT);
              assertThat(e.details())
                  .satisfiesExactlyInAnyOrder(
                      d ->
                          assertThat(d).contains("a.direct.weight").contains("no low-rank factors"),
                      d -> assertThat(d).contains("a.conv.weight [6, 4, 3, 3]").contains("12×18"),
                      d -> assertThat(d).contains("a.viewed.weight").contains("12×4"),
                      d -> assertThat(d).contains("a.experts.gate"),
                      d -> assertThat(d).contains("a.experts.up").contains("target_parameters"),
                      d -> assertThat(d).contains("model.embed_tokens.weight").contains("tied"),
                      d -> assertThat(d).contains("transformer.wpe.weight"));
            });
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void anAdapterOfDenseTensorsAloneIsRefused() throws Exception {
    AdapterFile file =
        seal(Adapter.builder().generator(Generator.SRHT).dense(dense("score.weight", 2, 16)));

    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> export(file))
        .withMessageContaining("no layer");
  }

  @Test
  void denseTensorsMakePeftKeepTheirModules() throws Exception {
    DenseTensor score = dense("score.weight", 2, 16);
    AdapterFile file =
        seal(
            layers(matrix(Q0, 24, 16, 3, 4))
                .dense(score)
                .metadata(Metadata.of("", "text-classification", "")));

    Report report = export(file);

    assertThat(config().get("modules_to_save").valueStream().map(JsonNode::asString))
        .containsExactly("score");
    assertThat(config().get("task_type").asString()).isEqualTo("SEQ_CLS");
    assertThat(report.saved()).isEqualTo(1);
    assertThat(report.warnings())
        .satisfiesExactly(
            said -> assertThat(said).contains("not confirmed").endsWith(LoraExport.NO_BASE),
            said -> assertThat(said).contains("stored whole").endsWith(LoraExport.NO_BASE),
            said -> assertThat(said).isEqualTo(PeftFormat.NO_NAME));
    try (SafetensorsFile weights = weights()) {
      Tensor saved = weights.tensors().get("base_model.model.score.weight");
      assertThat(saved.type()).isEqualTo("F32");
      assertThat(saved.data().mismatch(score.data())).isEqualTo(-1);
    }
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "null",
      value = {
        "acme/tiny, acme/tiny",
        "gpt2, gpt2",
        "/home/me/gpt2, null",
        "./tiny, null",
        "src, null"
      })
  void nameOfTheBaseIsThatInItsConfigUnlessItIsAPath(String configured, @Nullable String name)
      throws Exception {
    Path base = base("h.0.attn.c_attn.bias");
    Files.writeString(
        base.resolve("config.json"),
        "{\"model_type\": \"gpt2\", \"_name_or_path\": \"%s\"}".formatted(configured));
    AdapterFile file = seal(layers(matrix("h.0.attn.c_attn", 16, 48, 3, 4)));

    Report report = LoraExport.of(file, PeftFormat.STANDARD).base(base).build().write(lora());

    assertThat(config().get("base_model_name_or_path").asString(null)).isEqualTo(name);
    assertThat(report.warnings().contains(PeftFormat.NO_NAME)).isEqualTo(name == null);
  }

  @Test
  void whatElseIsInTheModuleOfADenseTensorComesFromTheBase() throws Exception {
    Path base =
        base(
            "h.0.attn.c_attn.bias",
            "h.0.ln_1.weight",
            "h.0.ln_1.bias",
            "h.1.ln_1.weight",
            "h.1.ln_1.bias");
    Files.writeString(base.resolve("config.json"), "{\"model_type\": \"gpt2\"}");
    AdapterFile file =
        seal(layers(matrix("h.0.attn.c_attn", 16, 48, 3, 4)).dense(dense("h.0.ln_1.weight", 4)));

    Report report = LoraExport.of(file, PeftFormat.STANDARD).base(base).build().write(lora());

    assertThat(report.warnings()).containsExactly(PeftFormat.NO_NAME);
    assertThat(config().get("modules_to_save").valueStream().map(JsonNode::asString))
        .containsExactly("transformer.h.0.ln_1");
    try (SafetensorsFile weights = weights();
        SafetensorsFile model = SafetensorsFile.open(base.resolve("model.safetensors"))) {
      String key = "base_model.model.transformer.h.0.ln_1.";
      assertThat(weights.tensors().keySet())
          .filteredOn(name -> !name.contains("lora_"))
          .containsExactlyInAnyOrder(key + "weight", key + "bias");
      assertThat(
              weights
                  .tensors()
                  .get(key + "weight")
                  .data()
                  .mismatch(file.adapter().dense().getFirst().data()))
          .isEqualTo(-1);
      assertThat(
              weights
                  .tensors()
                  .get(key + "bias")
                  .data()
                  .mismatch(model.tensors().get("h.0.ln_1.bias").data()))
          .isEqualTo(-1);
    }
  }

  @Test
  void aHeadOfSeveralModulesIsKeptAsOne() throws Exception {
    Path base =
        base(
            "bert.encoder.layer.0.attention.self.query.bias",
            "classifier.dense.bias",
            "classifier.out_proj.bias",
            "pooler.dense.bias");
    AdapterFile file =
        seal(
            layers(matrix("bert.encoder.layer.0.attention.self.query", 24, 16, 3, 4))
                .dense(dense("classifier.dense.weight", 4, 4))
                .metadata(Metadata.of("", "text-classification", "")));

    Report report = LoraExport.of(file, PeftFormat.STANDARD).base(base).build().write(lora());

    assertThat(report.saved()).isEqualTo(1);
    assertThat(config().get("task_type").asString()).isEqualTo("SEQ_CLS");
    assertThat(config().get("modules_to_save").valueStream().map(JsonNode::asString))
        .containsExactly("classifier");
    try (SafetensorsFile weights = weights()) {
      assertThat(weights.tensors().keySet())
          .filteredOn(name -> !name.contains("lora_"))
          .containsExactlyInAnyOrder(
              "base_model.model.classifier.dense.weight",
              "base_model.model.classifier.dense.bias",
              "base_model.model.classifier.out_proj.bias");
    }
  }

  @Test
  void aLayerInAHeadThatIsKeptWholeIsRefused() throws Exception {
    AdapterFile file =
        seal(
            layers(matrix("classifier.dense", 24, 16, 3, 4))
                .dense(dense("classifier.out_proj.weight", 4, 4))
                .metadata(Metadata.of("", "text-classification", "")));

    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> export(file))
        .withMessageContaining("classifier: is stored whole")
        .withMessageContaining("would not adapt classifier.dense");
  }

  @Test
  void denseTensorsThatPeftCannotKeepApartAreRefused() throws Exception {
    Path base = base("model.norm.weight", "norm.weight", Q0 + ".bias");
    AdapterFile file =
        seal(
            layers(matrix(Q0, 24, 16, 3, 4))
                .dense(dense("logit_scale"))
                .dense(dense(Q0 + ".bias", 24))
                .dense(dense("model.embed_tokens.weight", 8, 4)));

    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> export(file))
        .satisfies(e -> assertThat(e.details()).hasSize(2))
        .withMessageContaining("logit_scale: belongs to no module")
        .withMessageContaining("model.embed_tokens.weight: is an embedding");
    AdapterFile bias = seal(layers(matrix(Q0, 24, 16, 3, 4)).dense(dense(Q0 + ".bias", 24)));
    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> export(bias))
        .withMessageContaining(Q0 + ": is stored whole");
    AdapterFile norm = seal(layers(matrix(Q0, 24, 16, 3, 4)).dense(dense("norm.weight", 4)));
    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(
            () ->
                LoraExport.of(norm, PeftFormat.STANDARD)
                    .base(base)
                    .modulePrefix("")
                    .build()
                    .write(lora()))
        .withMessageContaining("PEFT would also match model.norm by this name");
  }

  @Test
  void aTaskWithoutItsHeadIsRefusedWhenAskedForAndLeftOutOtherwise() throws Exception {
    AdapterFile file =
        seal(layers(matrix(Q0, 24, 16, 3, 4)).metadata(Metadata.of("", "text-classification", "")));

    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(
            () ->
                LoraExport.of(file, PeftFormat.STANDARD)
                    .task(TaskType.SEQ_CLS)
                    .build()
                    .write(lora()))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.TASK))
        .withMessageContaining("classifier or score");
    assertThat(export(file).warnings()).first().asString().contains("no task");
    assertThat(config().get("task_type").isNull()).isTrue();
  }

  @Test
  void vllmTakesOnlyAHeadWholeAndWantsABaseName() throws Exception {
    Adapter.Builder layers = layers(matrix(Q0, 24, 16, 3, 4));
    AdapterFile nameless = seal(layers);
    AdapterFile withNorm =
        seal(layers(matrix(Q0, 24, 16, 3, 4)).dense(dense("model.norm.weight", 2)));
    AdapterFile withHead = seal(layers(matrix(Q0, 24, 16, 3, 4)).dense(dense("score.weight", 2)));

    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> LoraExport.of(withNorm, PeftFormat.FOR_VLLM).build().write(lora()))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.VLLM))
        .withMessageContaining("classifier or score")
        .withMessageContaining("model.norm.weight");
    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> LoraExport.of(nameless, PeftFormat.FOR_VLLM).build().write(lora()))
        .withMessageContaining("base model");
    LoraExport.of(withHead, PeftFormat.FOR_VLLM).baseName("some/model").build().write(lora());
    assertThat(config().get("base_model_name_or_path").asString()).isEqualTo("some/model");
    assertThat(config().get("modules_to_save").valueStream().map(JsonNode::asString))
        .containsExactly("score");
  }

  @Test
  void anExistingDestinationIsRefusedAndLeftAsItIs() throws Exception {
    AdapterFile file = seal(layers(matrix(Q0, 24, 16, 3, 4)));
    Files.createDirectory(lora());

    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> export(file))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.DESTINATION))
        .withMessageContaining("already exists");
    assertThat(lora()).isEmptyDirectory();
    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(
            () -> LoraExport.of(file, PeftFormat.STANDARD).build().write(folder.resolve("no/such")))
        .withMessageContaining("does not exist");
  }

  @Test
  void anAdapterWhoseBitsAreNotItsAuthorsIsRefused() throws Exception {
    AdapterFile sealed = seal(layers(matrix(Q0, 24, 16, 3, 4)));
    AdapterFile other = new AdapterFile(sealed.adapter(), Sha256.hash(new byte[] {1}));

    assertThatExceptionOfType(DigestMismatchException.class).isThrownBy(() -> export(other));
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void anExportThatIsInterruptedLeavesNothing() throws Exception {
    AdapterFile file = seal(layers(matrix(Q0, 24, 16, 3, 4), matrix(Q1, 24, 16, 3, 4)));
    LoraExport export =
        LoraExport.of(file, PeftFormat.STANDARD)
            .progress(
                (done, total) -> {
                  assertThat(done).isLessThan(total);
                  Thread.currentThread().interrupt();
                })
            .build();

    assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> export.write(lora()));
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void progressEndsWithAllBytesOfTheTensors() throws Exception {
    AdapterFile file = seal(layers(matrix(Q0, 24, 16, 3, 4), matrix(Q1, 24, 16, 3, 4)));
    long[] last = new long[2];

    Report report =
        LoraExport.of(file, PeftFormat.STANDARD)
            .progress(
                (done, total) -> {
                  last[0] = done;
                  last[1] = total;
                })
            .build()
            .write(lora());

    assertThat(report.bytes()).isEqualTo(2 * 3 * (24 + 16) * 4);
    assertThat(last).containsExactly(report.bytes(), report.bytes());
  }

  private static Adapter.Builder layers(Layer... layers) {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.UNIFORM8).seed(7);
    for (Layer layer : layers) {
      adapter.layer(layer);
    }
    return adapter;
  }

  private Layer matrix(String module, int rows, int cols, int rank, int bits) {
    return Layer.ofMatrix(
        module + ".weight", rows, cols, random.nextInt(), 0x1.9p-30f, lowRank(rank, bits));
  }

  private Layer part(
      String module, List<Integer> shape, Slice slice, int rows, int cols, int rank) {
    return new Layer(
        module + ".weight",
        shape,
        slice,
        rows,
        cols,
        random.nextInt(),
        0x1.9p-30f,
        lowRank(rank, 4));
  }

  private Coefficients lowRank(int rank, int bits) {
    return new LowRank(rank, codes(bits, 8), codes(bits, 8));
  }

  private Codes codes(int bits, int count) {
    return Codes.of(bits, random.ints(count, 0, 1 << bits).toArray());
  }

  private DenseTensor dense(String name, Integer... shape) {
    byte[] bytes = new byte[4 * Stream.of(shape).reduce(1, Math::multiplyExact)];
    random.nextBytes(bytes);
    return new DenseTensor(name, DType.F32, List.of(shape), MemorySegment.ofArray(bytes));
  }

  /** A folder of a model with vectors of four elements. */
  private Path base(String... tensors) throws IOException {
    Path base = Files.createDirectory(folder.resolve("base"));
    List<Slot> slots =
        Stream.of(tensors).map(name -> new Slot(name, "F32", List.of(4L), 16)).toList();
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(base.resolve("model.safetensors"), slots, Map.of())) {
      for (Slot slot : slots) {
        writer.write(slot.name(), dense(slot.name(), 4).data());
      }
    }
    return base;
  }

  private static AdapterFile seal(Adapter.Builder adapter) throws Exception {
    return Reconstructor.standard().seal(adapter.build());
  }

  private Path lora() {
    return folder.resolve("lora");
  }

  private Report export(AdapterFile file) throws Exception {
    return LoraExport.of(file, PeftFormat.STANDARD).build().write(lora());
  }

  private SafetensorsFile weights() throws IOException {
    return SafetensorsFile.open(lora().resolve(PeftFormat.WEIGHTS));
  }

  private JsonNode config() throws IOException {
    return JsonMapper.shared().readTree(Files.readAllBytes(lora().resolve("adapter_config.json")));
  }

  private static Factors factors(AdapterFile file, int layer) throws Exception {
    return Reconstructor.standard().open(file.adapter()).apply(file.adapter().layers().get(layer));
  }

  private static double[][] delta(AdapterFile file, int layer) throws Exception {
    Factors factors = factors(file, layer);
    double[][] delta = new double[factors.layer().rows()][];
    for (int i = 0; i < delta.length; i++) {
      delta[i] = factors.deltaRow(i);
    }
    return delta;
  }

  /** lora_B·lora_A as PEFT has it, summed in f64 over ascending ranks. */
  private static double[][] linearDelta(Path lora, String module) throws IOException {
    try (SafetensorsFile weights = SafetensorsFile.open(lora.resolve(PeftFormat.WEIGHTS))) {
      float[] a = floats(weights, module + ".lora_A.weight");
      float[] b = floats(weights, module + ".lora_B.weight");
      int rank =
          weights
              .tensors()
              .get("base_model.model." + module + ".lora_A.weight")
              .shape()
              .getFirst()
              .intValue();
      int inputs = a.length / rank;
      double[][] delta = new double[b.length / rank][inputs];
      for (int i = 0; i < delta.length; i++) {
        for (int j = 0; j < inputs; j++) {
          for (int t = 0; t < rank; t++) {
            delta[i][j] += (double) b[i * rank + t] * a[t * inputs + j];
          }
        }
      }
      return delta;
    }
  }

  private static double[][] transposed(double[][] matrix) {
    double[][] transposed = new double[matrix[0].length][matrix.length];
    for (int i = 0; i < matrix.length; i++) {
      for (int j = 0; j < matrix[i].length; j++) {
        transposed[j][i] = matrix[i][j];
      }
    }
    return transposed;
  }

  private static float[] floats(SafetensorsFile weights, String key) {
    Tensor tensor = weights.tensors().get("base_model.model." + key);
    float[] values = new float[(int) tensor.elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (tensor.type()) {
            case "F32" ->
                tensor
                    .data()
                    .get(
                        ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
                        4L * i);
            case "F16" -> Float.float16ToFloat(half(tensor, i));
            default -> Float.intBitsToFloat(half(tensor, i) << 16);
          };
    }
    return values;
  }

  private static short half(Tensor tensor, int i) {
    return tensor
        .data()
        .get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 2L * i);
  }

  private static float largest(float[] values) {
    float largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  private static double relativeError(double[][] actual, double[][] expected) {
    double error = 0;
    double norm = 0;
    for (int i = 0; i < actual.length; i++) {
      for (int j = 0; j < actual[i].length; j++) {
        error += Math.pow(actual[i][j] - expected[i][j], 2);
        norm += Math.pow(expected[i][j], 2);
      }
    }
    return Math.sqrt(error / norm);
  }
}

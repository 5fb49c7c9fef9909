package dev.nola.trainer.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Tensor;
import dev.nola.trainer.model.Adaptable;
import dev.nola.trainer.model.BaseModel;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Imports ONNX files, and compares the weights with those that were exported. */
class OnnxImportTest {
  private static final Path ORIGINAL = Path.of("src/test/resources/models/bert");
  private static final EncoderConfig CONFIG = new EncoderConfig(48, 32, 2, 4, 40, 64, 2, 1e-12);

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"exported.onnx", "other.onnx"})
  void weightsEqualTheExportedOnes(String name) throws Exception {
    OnnxImport.Report report = imported(Onnx.fixture(name), null, null);
    assertThat(report.config()).isEqualTo(CONFIG);
    try (Model original = Model.open(ORIGINAL);
        Model model = Model.open(folder.resolve("model"))) {
      for (Tensor expected : original.tensors().values()) {
        Tensor tensor = model.tensors().get(expected.name());
        assertThat(tensor).as(expected.name()).isNotNull();
        assertThat(tensor.type()).isEqualTo("F32");
        assertThat(tensor.shape()).as(expected.name()).isEqualTo(expected.shape());
        assertThat(tensor.data().mismatch(expected.data())).as(expected.name()).isEqualTo(-1);
      }
      Set<String> more = new TreeSet<>(model.tensors().keySet());
      more.removeAll(original.tensors().keySet());
      if (name.equals("other.onnx")) {
        assertThat(more).containsExactly("pooler.dense.bias", "pooler.dense.weight");
      } else {
        assertThat(more).isEmpty();
      }
      assertThat(report.tensors()).isEqualTo(model.tensors().size());
    }
    assertThat(report.left()).hasSize(1).first().asString().endsWith("embeddings.position_ids");
  }

  @Test
  void weightStoredAsOutTimesIn_isKept() throws Exception {
    imported(Onnx.fixture("other.onnx"), null, null);
    try (Model model = Model.open(folder.resolve("model"))) {
      Tensor pooler = model.tensors().get("pooler.dense.weight");
      assertThat(pooler.data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4)).isEqualTo(1 / 1000f);
    }
  }

  @Test
  void configEqualsTheOriginal() throws Exception {
    imported(Onnx.fixture("exported.onnx"), null, null);
    JsonNode original = json(ORIGINAL.resolve("config.json"));
    JsonNode config = json(folder.resolve("model/config.json"));
    assertThat(config.propertyNames())
        .contains("layer_norm_eps", "num_attention_heads", "hidden_act");
    for (String key : config.propertyNames()) {
      assertThat(config.get(key)).as(key).isEqualTo(original.get(key));
    }
  }

  private static List<String> targets(BaseModel model) {
    return model.network().adaptable().stream().map(Adaptable::tensor).toList();
  }

  @Test
  void trainerLoadsTheImport() throws Exception {
    imported(Onnx.fixture("exported.onnx"), null, null);
    try (BaseModel original = BaseModel.load(ORIGINAL);
        BaseModel model = BaseModel.load(folder.resolve("model"))) {
      assertThat(model.names()).isEqualTo(original.names());
      assertThat(model.identity(targets(model)))
          .isNotNull()
          .isEqualTo(original.identity(targets(original)));
    }
  }

  @Test
  void tokenizerIsCopied() throws Exception {
    Path tokenizer = Files.writeString(folder.resolve("t.json"), "{\"model\": {}}\n");
    new OnnxImport(file(Onnx.fixture("exported.onnx")), tokenizer, null, null)
        .write(folder.resolve("model"));
    assertThat(folder.resolve("model/tokenizer.json")).hasSameBinaryContentAs(tokenizer);
  }

  @ParameterizedTest
  @CsvSource({"{}, must be a tokenizer.json", "words, invalid JSON"})
  void fileThatIsNotATokenizer_isRefused(String content, String rule) throws Exception {
    Path tokenizer = Files.writeString(folder.resolve("t.json"), content);
    OnnxImport onnxImport =
        new OnnxImport(file(Onnx.fixture("exported.onnx")), tokenizer, null, null);
    assertThatThrownBy(() -> onnxImport.write(folder.resolve("model")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("t.json")
        .hasMessageContaining(rule);
    assertNothingIsLeft("model.onnx", "t.json");
  }

  @Test
  void headsMissingInTheGraph_mustBeGiven() throws Exception {
    byte[] file = Onnx.replaced(Onnx.fixture("exported.onnx"), "Concat", "Concut");
    assertThatThrownBy(() -> imported(file, null, null))
        .isInstanceOf(InvalidOnnxException.class)
        .hasMessageContaining("does not specify the attention heads");
    assertThatThrownBy(() -> imported(file, 5, null))
        .hasMessageContaining("hidden size 32; must be a multiple of the number of heads, 5");
    assertThat(imported(file, 8, null).config().heads()).isEqualTo(8);
  }

  @Test
  void epsilonMissingInTheGraph_mustBeGiven() throws Exception {
    byte[] file = Onnx.replaced(Onnx.fixture("exported.onnx"), "Sqrt", "Sqru");
    assertThatThrownBy(() -> imported(file, null, null))
        .isInstanceOf(InvalidOnnxException.class)
        .hasMessageContaining("does not specify the epsilons of norms");
    assertThat(imported(file, null, 1e-5).config().epsilon()).isEqualTo(1e-5);
  }

  @Test
  void optionsThatContradictTheGraph_areRefused() throws Exception {
    byte[] file = Onnx.fixture("exported.onnx");
    assertThatThrownBy(() -> imported(file, 8, null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("attention heads given as 8, but")
        .hasMessageContaining("says 4");
    assertThatThrownBy(() -> imported(file, null, 1e-5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("says 1.0E-12");
    assertThat(imported(file, 4, 1e-12).config()).isEqualTo(CONFIG);
  }

  @Test
  void matMulWithoutABias_isNamed() throws Exception {
    refused(
        Onnx.with(
            Onnx.fixture("exported.onnx"),
            Onnx.initializer("onnx::MatMul_999", Onnx.FLOAT, List.of(2L, 2L), 16),
            Onnx.node("MatMul", List.of("x", "onnx::MatMul_999"), "y"),
            Onnx.node("Add", List.of("y", "z"), "sum")),
        "MatMul of initializer onnx::MatMul_999; must be followed by the Add of one bias named"
            + " ….bias, from which the weight gets its name");
  }

  @Test
  void twoWeightsOfOneBias_areRefused() throws Exception {
    refused(
        Onnx.with(
            Onnx.fixture("exported.onnx"),
            Onnx.initializer("w", Onnx.FLOAT, List.of(32L, 32L), 4096),
            Onnx.node("MatMul", List.of("x", "w"), "y"),
            Onnx.node("Add", List.of("y", "encoder.layer.1.attention.self.key.bias"), "sum")),
        "bias encoder.layer.1.attention.self.key.bias is added to products of two initializers");
  }

  @Test
  void scaledGemm_isRefused() throws Exception {
    refused(
        Onnx.with(
            Onnx.fixture("exported.onnx"),
            Onnx.initializer("w", Onnx.FLOAT, List.of(2L, 2L), 16),
            Onnx.initializer("m.bias", Onnx.FLOAT, List.of(2L), 8),
            Onnx.node("Gemm", List.of("x", "w", "m.bias"), "y", Onnx.attribute("alpha", 0.5f))),
        "Gemm of initializer w scales or transposes; must be a plain linear module");
  }

  @Test
  void gemmWithoutTransB_isTransposed() throws Exception {
    imported(
        Onnx.with(
            Onnx.fixture("exported.onnx"),
            Onnx.initializer("w", Onnx.FLOAT, List.of(3L, 2L), 24),
            Onnx.initializer("m.bias", Onnx.FLOAT, List.of(2L), 8),
            Onnx.node("Gemm", List.of("x", "w", "m.bias"), "y")),
        null,
        null);
    try (Model model = Model.open(folder.resolve("model"))) {
      assertThat(model.tensors().get("m.weight").shape()).containsExactly(2L, 3L);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "classifier.weight | 10 | 2,2 |  8 | classifier.weight has type FLOAT16; must be FLOAT"
            + " (f32)",
        "w_quantized       |  3 | 2,2 |  4 | w_quantized has type INT8; must be FLOAT (f32)",
        "w                 | 99 | 2   |  4 | w has type number 99; must be FLOAT (f32)",
        "classifier.bias   |  1 | 2   |  9 | classifier.bias has shape [2] and 9 bytes; must have"
            + " four",
        "classifier.bias   |  1 | -1  | -0 | classifier.bias has shape [-1] and 0 bytes; must have"
            + " four",
        "classifier.bias   |  1 | 4611686018427387904,4,4611686018427387904 | 0 | must have four",
        "embeddings.LayerNorm.bias | 1 | 32 | 128 | duplicate initializer"
            + " embeddings.LayerNorm.bias",
        "x.embeddings.word_embeddings.weight | 1 | 1,1 | 4 | has 2 initializers named"
            + " embeddings.word",
        "encoder.layer.2.output.dense.bias | 1 | 32 | 128 | has no weight encoder.layer.2.",
        "encoder.layer.0.attention.self.distance_embedding.weight | 1 | 9,8 | 288 | which is not"
            + " part of a BERT encoder",
      })
  void weightOfAnotherShape_isNamed(String name, int type, String shape, int bytes, String rule)
      throws Exception {
    List<Long> sizes = Stream.of(shape.split(",")).map(Long::valueOf).toList();
    refused(
        Onnx.with(Onnx.fixture("exported.onnx"), Onnx.initializer(name, type, sizes, bytes)), rule);
  }

  @Test
  void weightsInAnotherFileAndStoredOnce_equalTheExportedOnes() throws Exception {
    Path file = Path.of("src/test/resources/onnx/shared.onnx");
    OnnxImport.Report report =
        new OnnxImport(file, null, null, null).write(folder.resolve("model"));
    assertThat(report.config()).isEqualTo(CONFIG);
    try (Model original = Model.open(ORIGINAL);
        Model model = Model.open(folder.resolve("model"))) {
      for (Tensor expected : original.tensors().values()) {
        Tensor tensor = model.tensors().get(expected.name());
        assertThat(tensor).as(expected.name()).isNotNull();
        assertThat(tensor.shape()).as(expected.name()).isEqualTo(expected.shape());
        boolean bias = expected.name().endsWith(".bias");
        if (bias || expected.name().endsWith("LayerNorm.weight")) {
          float[] values = tensor.data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
          assertThat(values).as(expected.name()).containsOnly(bias ? 0 : 1);
        } else {
          assertThat(tensor.data().mismatch(expected.data())).as(expected.name()).isEqualTo(-1);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "missing.data, 0, 8, 'has its elements in missing.data, which is missing; put it next to'",
    "../model.onnx, 0, 8, 'must be a file in the folder of the ONNX file'",
    "/etc/hostname, 0, 8, 'must be a file in the folder of the ONNX file'",
    "'', 0, 8, 'must be a file in the folder of the ONNX file'",
    "model.onnx, 0, 999999999, 'past the end of model.onnx'",
    "model.onnx, 999999999, 0, 'past the end of model.onnx'",
    "model.onnx, -1, 8, 'has offset \"-1\"'",
    "model.onnx, 0, 99999999999999999999, 'has length \"99999999999999999999\"'"
  })
  void weightsThatAreNotInTheOtherFile_areRefused(
      String location, String offset, String length, String rule) throws Exception {
    refused(
        Onnx.with(
            Onnx.fixture("exported.onnx"),
            Onnx.initializer(
                "m.bias",
                Onnx.FLOAT,
                List.of(2L),
                8,
                out -> {
                  out.writeByteArray(13, Onnx.entry("location", location));
                  out.writeByteArray(13, Onnx.entry("offset", offset));
                  out.writeByteArray(13, Onnx.entry("length", length));
                  out.writeEnum(14, 1);
                })),
        rule);
  }

  @ParameterizedTest
  @CsvSource({
    "SkipLayerNormalization, 'import the file before it was optimized'",
    "MatMulInteger, 'import the file before it was quantized'"
  })
  void operatorsThatMergeOrQuantizeWeights_areNamed(String operator, String remedy)
      throws Exception {
    byte[] file =
        Onnx.with(Onnx.fixture("exported.onnx"), Onnx.node(operator, List.of("x", "y"), "z"));
    refused(file, "operator " + operator);
    refused(file, remedy);
  }

  @Test
  void modelsThatComputeSomethingElse_areRefused() throws Exception {
    byte[] file = Onnx.fixture("exported.onnx");
    refused(
        Onnx.with(file, Onnx.node("CumSum", List.of("mask"), "positions")),
        "counts positions with CumSum, as RoBERTa does; must be a BERT encoder");
    refused(
        Onnx.replaced(file, "Erf", "Exp"),
        "has 2 layers and 0 GELUs by the error function; must have one in each");
    refused(
        Onnx.with(
            file,
            Onnx.node(
                "LayerNormalization",
                List.of("x", "embeddings.LayerNorm.weight"),
                "y",
                Onnx.attribute("epsilon", 1e-5f))),
        "has layers with different epsilons of norms, [1.0E-12, 1.0E-5]");
  }

  @Test
  void fileThatIsNotOnnx_isRefused() throws Exception {
    refused(new byte[0], "is empty; download the file again");
    refused(new byte[] {8, 7}, "not a valid ONNX file: it has no graph");
    refused("{\"model_type\": \"bert\"}".getBytes(), "is a text, \"{\"model_type\"");
    refused("version https://git-lfs.github.com/spec/v1\n".getBytes(), "is a Git LFS pointer");
    refused(Files.readAllBytes(ORIGINAL.resolve("model.safetensors")), "not a valid ONNX file");
    refused(Onnx.with(new byte[0]), "has 0 initializers named embeddings.word_embeddings.weight");
  }

  @Test
  void tooLargeGraph_isRefused() throws Exception {
    byte[] nodes = new byte[2_000_000];
    for (int i = 0; i < nodes.length; i += 2) {
      nodes[i] = 1 << 3 | 2;
    }
    refused(Onnx.with(new byte[0], nodes), "graph needs more than 67,108,864 bytes, the limit");
  }

  @Test
  void lengthPastTheEnd_isRefused() throws Exception {
    byte[] name = {8 << 3 | 2, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 7};
    refused(
        Onnx.with(new byte[0], Onnx.message(out -> out.writeByteArray(5, name))),
        "graph needs more than");
    name[0] = 9 << 3 | 2;
    refused(
        Onnx.with(new byte[0], Onnx.message(out -> out.writeByteArray(5, name))),
        "not a valid ONNX file");
  }

  @Test
  void truncatedFile_isRefused() throws Exception {
    byte[] file = Onnx.fixture("exported.onnx");
    Random random = new Random(1);
    for (int i = 0; i < 200; i++) {
      int length = i < 50 ? i : random.nextInt(file.length - 100);
      byte[] start = Arrays.copyOf(file, length);
      assertThatThrownBy(() -> imported(start, null, null))
          .as("%d bytes", length)
          .isInstanceOf(InvalidOnnxException.class);
    }
    assertNothingIsLeft("model.onnx");
  }

  @Test
  void damagedFile_isReadOrRefused() throws Exception {
    byte[] file = Onnx.fixture("exported.onnx");
    Random random = new Random(2);
    int refused = 0;
    for (int i = 0; i < 300; i++) {
      byte[] damaged = file.clone();
      for (int change = 0; change < 20; change++) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      }
      try {
        new OnnxImport(file(damaged), null, null, null).write(folder.resolve("model" + i));
      } catch (InvalidOnnxException e) {
        assertThat(e).hasMessageStartingWith(folder.resolve("model.onnx") + ": ");
        refused++;
      }
    }
    assertThat(refused).isPositive();
  }

  @Test
  void existingFolder_isNotReplaced() throws Exception {
    Files.createDirectory(folder.resolve("model"));
    assertThatThrownBy(() -> imported(Onnx.fixture("exported.onnx"), null, null))
        .isInstanceOf(FileAlreadyExistsException.class);
    assertThat(folder.resolve("model")).isEmptyDirectory();
  }

  @Test
  void unreadableFile_isNamed() {
    assertThatThrownBy(
            () ->
                new OnnxImport(folder.resolve("none.onnx"), null, null, null)
                    .write(folder.resolve("model")))
        .isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(
            () -> new OnnxImport(folder, null, null, null).write(folder.resolve("model")))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("not a regular file");
  }

  private void refused(byte[] file, String rule) throws IOException {
    assertThatThrownBy(() -> imported(file, null, null))
        .isInstanceOf(InvalidOnnxException.class)
        .hasMessageStartingWith(folder.resolve("model.onnx") + ": ")
        .hasMessageContaining(rule);
    assertNothingIsLeft("model.onnx");
  }

  private void assertNothingIsLeft(String... but) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString())).containsExactlyInAnyOrder(but);
    }
  }

  private OnnxImport.Report imported(byte[] file, @Nullable Integer heads, @Nullable Double epsilon)
      throws IOException {
    return new OnnxImport(file(file), null, heads, epsilon).write(folder.resolve("model"));
  }

  private Path file(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("model.onnx"), bytes);
  }

  private static JsonNode json(Path file) throws IOException {
    return JsonMapper.shared().readTree(Files.readAllBytes(file));
  }
}

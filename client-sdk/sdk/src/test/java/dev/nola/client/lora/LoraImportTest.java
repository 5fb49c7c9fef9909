package dev.nola.client.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.nola.client.merge.ModelMerge;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class LoraImportTest {
  private static final String Q0 = "model.layers.0.self_attn.q_proj";
  private static final String UP = "model.layers.0.mlp.up_proj";
  private static final String C_ATTN = "transformer.h.0.attn.c_attn";
  private static final String EXPERTS = "model.layers.0.mlp.experts";

  @TempDir private Path folder;

  private ImportedLora read(PeftLora lora) throws Exception {
    return LoraImport.of(lora.write(folder.resolve("lora"))).read();
  }

  private ImportedLora read(PeftLora lora, Path base) throws Exception {
    return LoraImport.of(lora.write(folder.resolve("lora"))).base(base).read();
  }

  /** ΔW of a layer, row-major. */
  private static double[] delta(ImportedLora imported, int layer) throws Exception {
    Factors factors = Reconstructor.standard().verifiedFactors(imported.file()).get(layer);
    int rows = factors.layer().rows();
    int cols = factors.layer().cols();
    int rank = factors.rank();
    double[] delta = new double[rows * cols];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        for (int t = 0; t < rank; t++) {
          delta[i * cols + j] += (double) factors.a()[i * rank + t] * factors.b()[t * cols + j];
        }
      }
    }
    return delta;
  }

  /** scaling · B·A of out×r and r×in, row-major. */
  private static double[] product(float[] b, float[] a, int rank, double scaling) {
    int out = b.length / rank;
    int in = a.length / rank;
    double[] product = new double[out * in];
    for (int i = 0; i < out; i++) {
      for (int j = 0; j < in; j++) {
        for (int t = 0; t < rank; t++) {
          product[i * in + j] += scaling * b[i * rank + t] * a[t * in + j];
        }
      }
    }
    return product;
  }

  private static double[] transposed(double[] matrix, int cols) {
    int rows = matrix.length / cols;
    double[] transposed = new double[matrix.length];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        transposed[j * rows + i] = matrix[i * cols + j];
      }
    }
    return transposed;
  }

  private static void assertClose(double[] actual, double[] expected) {
    assertThat(DoubleStream.of(expected).map(Math::abs).max().orElse(0)).isGreaterThan(0.1);
    assertThat(actual).containsExactly(expected, within(1e-3));
  }

  @Test
  void linearModule_becomesLayerOfItsWeight() throws Exception {
    PeftLora lora = new PeftLora().linear(Q0, 6, 4, 2);

    ImportedLora imported = read(lora);

    Adapter adapter = imported.file().adapter();
    assertThat(adapter.generator()).isEqualTo(Generator.IDENTITY);
    Layer layer = adapter.layers().getFirst();
    assertThat(layer.tensor()).isEqualTo(Q0 + ".weight");
    assertThat(layer.shape()).containsExactly(6, 4);
    assertThat(layer.coefficients())
        .isInstanceOfSatisfying(
            LowRank.class,
            lowRank -> {
              assertThat(lowRank.rank()).isEqualTo(2);
              assertThat(lowRank.alpha().count()).isEqualTo(12);
              assertThat(lowRank.beta().count()).isEqualTo(8);
              assertThat(lowRank.beta().bits()).isEqualTo(16);
            });
    assertClose(delta(imported, 0), product(lora.b(Q0), lora.a(Q0), 2, 3));
    assertThat(imported.report().modules()).isEqualTo(1);
    assertThat(imported.report().notes())
        .singleElement()
        .asString()
        .contains(Q0 + ".weight", "nola import-peft --base checks them");
  }

  @ParameterizedTest
  @CsvSource({
    "{}, 3",
    "{\"use_rslora\":true}, 4.242640687119285",
    "{\"lora_alpha\":-5}, -2.5",
    "{\"lora_alpha\":0.5}, 0.25",
    "'{\"alpha_pattern\":{\"q_proj\":8,\"self_attn.q_proj\":2}}', 4",
    "'{\"alpha_pattern\":{\"proj\":8,\"layers\\\\.0\\\\..*\":10}}', 5",
    "'{\"alpha_pattern\":{\"^model.layers.0.self_attn.q_proj\":10}}', 5",
    "'{\"alpha_pattern\":{\"k_proj|q_proj\":10}}', 5",
    "'{\"r\":7,\"rank_pattern\":{\"q_proj\":2}}', 3",
  })
  void scaling_isThatOfPeft(String config, double scaling) throws Exception {
    PeftLora lora = new PeftLora().linear(Q0, 6, 4, 2).config(config);

    assertClose(delta(read(lora), 0), product(lora.b(Q0), lora.a(Q0), 2, scaling));
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void factors_mayHaveEveryType(DType dtype) throws Exception {
    PeftLora lora =
        new PeftLora()
            .with("base_model.model.a.lora_A.weight", dtype, new float[] {1, -2, 0.5f, 3}, 2, 2)
            .with("base_model.model.a.lora_B.weight", dtype, new float[] {4, 1, -1, 2}, 2, 2);

    ImportedLora imported = read(lora);

    assertClose(
        delta(imported, 0), product(new float[] {4, 1, -1, 2}, new float[] {1, -2, 0.5f, 3}, 2, 3));
    assertThat(imported.file().adapter().metadata().provenance())
        .containsEntry("factor type", dtype.name());
  }

  @Test
  void adapterNameAndWrappersInKeys_areLeftOut() throws Exception {
    PeftLora lora =
        new PeftLora()
            .with("base_model.model._orig_mod." + Q0 + ".lora_A.default.weight", 2, 4)
            .with("base_model.model._orig_mod." + Q0 + ".lora_B.default.weight", 6, 2);

    assertThat(read(lora).file().adapter().layers().getFirst().tensor()).isEqualTo(Q0 + ".weight");
  }

  @Test
  void conv1d_isTransposed() throws Exception {
    PeftLora lora = new PeftLora().linear(C_ATTN, 12, 4, 2).config("{\"fan_in_fan_out\":true}");

    ImportedLora imported = read(lora);

    assertThat(imported.file().adapter().layers().getFirst().shape()).containsExactly(4, 12);
    assertClose(delta(imported, 0), transposed(product(lora.b(C_ATTN), lora.a(C_ATTN), 2, 3), 4));
  }

  @Test
  void baseTellsOrientationThatTheFlagGetsWrong() throws Exception {
    PeftLora lora = new PeftLora().linear(C_ATTN, 12, 4, 2).linear("lm_head", 9, 4, 2);
    Path base =
        new PeftLora()
            .with("h.0.attn.c_attn.weight", 4, 12)
            .with("lm_head.weight", 9, 4)
            .writeModel(folder.resolve("base"), "gpt2");

    ImportedLora imported = read(lora, base);

    assertThat(imported.file().adapter().layers())
        .extracting(Layer::tensor)
        .containsExactly("h.0.attn.c_attn.weight", "lm_head.weight");
    assertThat(imported.report().notes()).anyMatch(note -> note.contains("h.0.attn.c_attn.weight"));
    assertClose(delta(imported, 0), transposed(product(lora.b(C_ATTN), lora.a(C_ATTN), 2, 3), 4));
    assertClose(delta(imported, 1), product(lora.b("lm_head"), lora.a("lm_head"), 2, 3));
  }

  @ParameterizedTest
  @CsvSource({"gpt2, true", "gpt_bigcode, false"})
  void modelTypeTellsOrientationOfSquareWeights(String type, boolean isTransposed)
      throws Exception {
    String module = "transformer.h.0.attn.c_proj";
    PeftLora lora = new PeftLora().linear(module, 4, 4, 2);
    Path base =
        new PeftLora().with(module + ".weight", 4, 4).writeModel(folder.resolve("base"), type);

    double[] product = product(lora.b(module), lora.a(module), 2, 3);
    assertClose(delta(read(lora, base), 0), isTransposed ? transposed(product, 4) : product);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "`encoder`: {`model_type`: `vit`}, `decoder`: {`model_type`: `gpt2`} | false | true",
        "`encoder`: {`model_type`: `gpt2`}, `decoder`: {`model_type`: `bert`} | false | false",
        "`encoder`: {`model_type`: `gpt2`}, `decoder`: {`model_type`: `gpt_bigcode`} | true | false",
        "`brain`: {`model_type`: `gpt2`} | true | true",
        "`brain`: {`model_type`: `gpt2`} | false | false",
        "`brain`: {`model_type`: `bert`} | false | false",
      })
  void partOfTheModelTellsOrientationOfItsSquareWeights(
      String parts, boolean isFanInFanOut, boolean isTransposed) throws Exception {
    String module = "decoder.transformer.h.0.attn.c_proj";
    PeftLora lora =
        new PeftLora()
            .linear(module, 4, 4, 2)
            .config("{\"fan_in_fan_out\": %s}".formatted(isFanInFanOut));
    String config = "{\"model_type\": \"composite\", %s}".formatted(parts.replace('`', '"'));
    Path base =
        new PeftLora()
            .with(module + ".weight", 4, 4)
            .writeModelWith(folder.resolve("base"), config);

    double[] product = product(lora.b(module), lora.a(module), 2, 3);
    assertClose(delta(read(lora, base), 0), isTransposed ? transposed(product, 4) : product);
  }

  @Test
  void embedding_isTransposed() throws Exception {
    String module = "base_model.model.model.embed_tokens.lora_embedding_";
    PeftLora lora = new PeftLora().with(module + "A", 2, 9).with(module + "B", 4, 2);

    ImportedLora imported = read(lora);

    assertThat(imported.file().adapter().layers().getFirst().tensor())
        .isEqualTo("model.embed_tokens.weight");
    assertThat(imported.file().adapter().layers().getFirst().shape()).containsExactly(9, 4);
    assertClose(
        delta(imported, 0),
        transposed(product(lora.values(module + "B"), lora.values(module + "A"), 2, 3), 9));
    assertThat(imported.report().notes()).anyMatch(note -> note.contains("ties"));
  }

  @Test
  void convolution_isViewedAsMatrix() throws Exception {
    PeftLora lora =
        new PeftLora()
            .with("base_model.model.conv.lora_A.weight", 2, 3, 5, 5)
            .with("base_model.model.conv.lora_B.weight", 4, 2, 1, 1);

    ImportedLora imported = read(lora);

    Layer layer = imported.file().adapter().layers().getFirst();
    assertThat(layer.shape()).containsExactly(4, 3, 5, 5);
    assertThat(List.of(layer.rows(), layer.cols())).containsExactly(4, 75);
    assertClose(delta(imported, 0), product(lora.b("conv"), lora.a("conv"), 2, 3));
  }

  /** PEFT puts the ranks of an expert together in lora_A, and the experts of a rank in lora_B. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void experts_becomeSlices(boolean isTransposed) throws Exception {
    String down = "base_model.model." + EXPERTS + ".lora_";
    String gateUp = "base_model.model." + EXPERTS + ".base_layer.lora_";
    PeftLora lora =
        new PeftLora()
            .with(gateUp + "A.weight", 6, 4)
            .with(gateUp + "B.weight", 10, 6)
            .with(down + "A.weight", 3, 5)
            .with(down + "B.weight", 4, 3)
            .config(
                """
                {"target_parameters": ["mlp.experts.down_proj", "mlp.experts.gate_up_proj"],
                 "rank_pattern": {".*down_proj": 1}}
                """);
    Path base =
        new PeftLora()
            .with(EXPERTS + ".gate_up_proj", DType.BF16, shape(isTransposed, 10, 4))
            .with(EXPERTS + ".down_proj", DType.BF16, shape(isTransposed, 4, 5))
            .writeModel(folder.resolve("base"), "mixtral");

    ImportedLora imported = read(lora, base);

    assertThat(imported.report().modules()).isEqualTo(2);
    List<Layer> layers = imported.file().adapter().layers();
    assertThat(layers).hasSize(6);
    for (int number = 0; number < layers.size(); number++) {
      Layer layer = layers.get(number);
      boolean isDown = layer.tensor().endsWith("down_proj");
      Slice slice = layer.slice();
      assertThat(slice).isNotNull();
      int expert = slice.start();
      int rank = isDown ? 1 : 2;
      float[] a = lora.values((isDown ? down : gateUp) + "A.weight");
      float[] b = lora.values((isDown ? down : gateUp) + "B.weight");
      int in = a.length / (3 * rank);
      int out = b.length / (3 * rank);
      double[] expected = new double[out * in];
      for (int i = 0; i < out; i++) {
        for (int j = 0; j < in; j++) {
          for (int t = 0; t < rank; t++) {
            expected[i * in + j] +=
                6.0 / rank * b[(i * rank + t) * 3 + expert] * a[(expert * rank + t) * in + j];
          }
        }
      }
      assertClose(delta(imported, number), isTransposed ? transposed(expected, in) : expected);
    }
  }

  @Test
  void expertsThatTheBaseHasApart_becomeLayersOfTheirMatrices() throws Exception {
    String key = "base_model.model." + EXPERTS + ".lora_";
    PeftLora lora =
        new PeftLora()
            .with(key + "A.weight", 4, 5)
            .with(key + "B.weight", 6, 4)
            .config("{\"target_parameters\": [\"experts.gate_up_proj\"]}");
    PeftLora model = new PeftLora();
    for (int expert = 0; expert < 2; expert++) {
      model.with("model.layers.0.block_sparse_moe.experts.%d.w1.weight".formatted(expert), 3, 5);
      model.with("model.layers.0.block_sparse_moe.experts.%d.w3.weight".formatted(expert), 3, 5);
    }

    ImportedLora imported = read(lora, model.writeModel(folder.resolve("base"), "mixtral"));

    List<Layer> layers = imported.file().adapter().layers();
    assertThat(layers).hasSize(4);
    float[] a = lora.values(key + "A.weight");
    float[] b = lora.values(key + "B.weight");
    for (int number = 0; number < 4; number++) {
      String tensor = layers.get(number).tensor();
      int expert = tensor.contains("experts.0") ? 0 : 1;
      int first = tensor.contains("w1") ? 0 : 3;
      double[] expected = new double[15];
      for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 5; j++) {
          for (int t = 0; t < 2; t++) {
            expected[i * 5 + j] +=
                3.0 * b[((first + i) * 2 + t) * 2 + expert] * a[(expert * 2 + t) * 5 + j];
          }
        }
      }
      assertClose(delta(imported, number), expected);
    }
    assertThat(imported.file().adapter().base().identity()).isNotNull();
  }

  private static int[] shape(boolean isTransposed, int out, int in) {
    return isTransposed ? new int[] {3, in, out} : new int[] {3, out, in};
  }

  @Test
  void modulesToSave_becomeDenseTensors() throws Exception {
    PeftLora lora =
        new PeftLora()
            .linear(Q0, 6, 4, 2)
            .with("base_model.model.score.weight", DType.F16, 3, 4)
            .with("base_model.model.classifier.dense.bias", 3)
            .with("base_model.model.classifier.modules_to_save.default.out.weight", 3, 3)
            .config("{\"modules_to_save\":[\"classifier\",\"score\"],\"task_type\":\"SEQ_CLS\"}");

    Adapter adapter = read(lora).file().adapter();

    assertThat(adapter.dense())
        .extracting(DenseTensor::toString)
        .containsExactly(
            "classifier.dense.bias F32[3]",
            "classifier.out.weight F32[3, 3]",
            "score.weight F16[3, 4]");
    assertThat(adapter.metadata().task()).isEqualTo("text-classification");
  }

  private Path tiedBase() {
    return new PeftLora()
        .with("model.embed_tokens.weight", 9, 4)
        .with(Q0 + ".weight", 6, 4)
        .writeModelWith(
            folder.resolve("base"), "{\"model_type\":\"llama\",\"tie_word_embeddings\":true}");
  }

  private PeftLora withEmbedding(String config) {
    return new PeftLora()
        .linear(Q0, 6, 4, 2)
        .with("base_model.model.model.embed_tokens.weight", 9, 4)
        .config(config);
  }

  @Test
  void outputEmbeddingThatWasTiedToASavedInputEmbedding_keepsItsWeights() throws Exception {
    Path base = tiedBase();

    ImportedLora imported = read(withEmbedding("{\"modules_to_save\":[\"embed_tokens\"]}"), base);

    assertThat(imported.report().notes()).anyMatch(note -> note.startsWith("lm_head.weight"));
    Path merged = folder.resolve("merged");
    ModelMerge.into(base).adapter(imported.file()).build().write(merged);
    assertThat(Files.readString(merged.resolve("config.json")))
        .containsPattern("\"tie_word_embeddings\" ?: ?false");
    try (Model before = Model.open(base);
        Model after = Model.open(merged)) {
      Tensor old = before.tensors().get("model.embed_tokens.weight");
      assertThat(after.tensors().get("lm_head.weight").data().mismatch(old.data())).isEqualTo(-1);
      assertThat(after.tensors().get("model.embed_tokens.weight").data().mismatch(old.data()))
          .isNotEqualTo(-1);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"{}", "{\"modules_to_save\":[\"embed_tokens\"],\"ensure_weight_tying\":true}"})
  void outputEmbeddingOfAnInputEmbeddingThatPeftKeepsTied_changesWithIt(String config)
      throws Exception {
    ImportedLora imported = read(withEmbedding(config), tiedBase());

    assertThat(imported.file().adapter().dense())
        .extracting(DenseTensor::name)
        .containsExactly("model.embed_tokens.weight");
    assertThat(imported.report().notes())
        .anyMatch(note -> note.contains("a merge changes the output embedding as well"));
  }

  @Test
  void savedInputEmbeddingWithoutTheBase_isWarnedOf() throws Exception {
    ImportedLora imported = read(withEmbedding("{\"modules_to_save\":[\"embed_tokens\"]}"));

    assertThat(imported.report().warnings())
        .anyMatch(warning -> warning.contains("PEFT keeps the output embedding"));
  }

  @Test
  void ranksOfUnequalFactors_areQuantizedAsWellAsOthers() throws Exception {
    PeftLora lora = new PeftLora().linear(Q0, 16, 24, 4).config("{\"r\":4}");
    double[] sizes = {1e3, 10, 0.1, 1e-3};
    for (int i = 0; i < lora.a(Q0).length; i++) {
      lora.a(Q0)[i] *= (float) sizes[i / 24];
    }
    for (int i = 0; i < lora.b(Q0).length; i++) {
      lora.b(Q0)[i] /= (float) sizes[i % 4];
    }

    ImportedLora imported = read(lora);

    assertThat(imported.report().quantization().largest()).isBetween(1e-7, 1e-4);
    assertClose(delta(imported, 0), product(lora.b(Q0), lora.a(Q0), 4, 1.5));
    assertThat(imported.report().warnings()).noneMatch(warning -> warning.contains("quantizing"));
  }

  @Test
  void rankWithoutEffect_doesNotDisturbOthers() throws Exception {
    PeftLora lora =
        new PeftLora()
            .with(
                "base_model.model.a.lora_A.weight", DType.F32, new float[] {1, 2, 5e4f, 7e4f}, 2, 2)
            .with("base_model.model.a.lora_B.weight", DType.F32, new float[] {1, 0, 3, 0}, 2, 2);

    ImportedLora imported = read(lora);

    assertThat(imported.report().quantization().largest()).isLessThan(1e-4);
    assertClose(
        delta(imported, 0),
        product(new float[] {1, 0, 3, 0}, new float[] {1, 2, 5e4f, 7e4f}, 2, 3));
  }

  @Test
  void factorsAtTheEdgesOfFloat_areBalanced() throws Exception {
    PeftLora lora =
        new PeftLora()
            .with(
                "base_model.model.a.lora_A.weight",
                DType.F32,
                new float[] {3e38f, 2e38f, 1e-38f, 2e-38f},
                2,
                2)
            .with(
                "base_model.model.a.lora_B.weight",
                DType.F32,
                new float[] {1e-38f, 1e38f, 3e-38f, 2e38f},
                2,
                2);

    assertThat(read(lora).report().quantization().largest()).isLessThan(1e-4);
  }

  @Test
  void largeErrorIsWarnedOf() throws Exception {
    Path lora = new PeftLora().linear(Q0, 40, 30, 2).write(folder.resolve("lora"));

    assertThat(LoraImport.of(lora).bits(1).read().report().warnings())
        .anyMatch(
            warning -> warning.startsWith("quantizing the factors at 1 bit changes ΔW by 0."));
    assertThat(LoraImport.of(lora).bits(8).read().report().warnings())
        .noneMatch(warning -> warning.startsWith("quantizing"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"layers_to_transform\":[0]} | 1",
        "{\"layers_to_transform\":1} | 1",
        "{\"layers_to_transform\":[0,1]} | 0",
        "{\"layers_to_transform\":[0],\"layers_pattern\":\"blocks\"} | 2",
        "{\"layers_to_transform\":[0],\"layers_pattern\":[\"layers\"]} | 1",
        "{\"target_modules\":[\"k_proj\"]} | 2",
        "{\"target_modules\":[\"model.layers.1.self_attn.q_proj\"],\"layers_to_transform\":[0]} | 1",
        "{\"target_modules\":\".*1.self_attn.q_proj\"} | 1",
        "{\"target_modules\":\"all-linear\"} | 0",
        "{\"target_modules\":\"(?=.*q_proj).*\"} | 0",
        "{\"target_modules\":null} | 0",
        "{\"exclude_modules\":[\"q_proj\"]} | 2",
        "{\"exclude_modules\":\".*0.self_attn.*\"} | 1",
        "{\"target_modules\":[],\"target_parameters\":[\"q_proj.weight\"]} | 0",
      })
  void factorsThatPeftIgnores_areWarnedOf(String config, int ignored) throws Exception {
    PeftLora lora =
        new PeftLora().linear(Q0, 6, 4, 2).linear(Q0.replace('0', '1'), 6, 4, 2).config(config);

    List<String> warnings = read(lora).report().warnings();

    if (ignored == 0) {
      assertThat(warnings).isEmpty();
    } else {
      assertThat(warnings).singleElement().asString().contains("leave out " + ignored + " of the");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "encoder.layer.0.attention.self.query, bert.encoder.layer.0.attention.self.query",
    "bert.encoder.layer.0.attention.self.query, encoder.layer.0.attention.self.query",
  })
  void modulesOfBertAreFoundWithAndWithoutItsPrefix(String module, String name) throws Exception {
    Path base =
        new PeftLora().with(name + ".weight", 4, 4).writeModel(folder.resolve("base"), "bert");

    ImportedLora imported = read(new PeftLora().linear(module, 4, 4, 2), base);

    assertThat(imported.file().adapter().layers().getFirst().tensor()).isEqualTo(name + ".weight");
  }

  @Test
  void weightAsAParameter_hasEqualNamesWithAndWithoutTheBase() throws Exception {
    PeftLora lora =
        new PeftLora()
            .linear(Q0, 6, 4, 2)
            .config(
                "{\"target_parameters\":[\"q_proj.weight\"],\"alpha_pattern\":{\"q_proj.weight\":10}}");
    Path base =
        new PeftLora().with(Q0 + ".weight", 6, 4).writeModel(folder.resolve("base"), "llama");

    Path path = lora.write(folder.resolve("lora"));
    for (LoraImport.Builder read : List.of(LoraImport.of(path), LoraImport.of(path).base(base))) {
      ImportedLora imported = read.read();
      assertThat(imported.report().quantization().module()).isEqualTo(Q0 + ".weight");
      assertClose(delta(imported, 0), product(lora.b(Q0), lora.a(Q0), 2, 5));
    }
  }

  @Test
  void interruptedImportEnds() {
    Path lora = new PeftLora().linear(Q0, 6, 4, 2).write(folder.resolve("lora"));
    Thread.currentThread().interrupt();

    assertThatExceptionOfType(InterruptedException.class)
        .isThrownBy(() -> LoraImport.of(lora).read());
  }

  @Test
  void baseNamedAsAFolderBesideTheLora_isNotTakenOver() throws Exception {
    Files.createDirectories(folder.resolve("models/secret"));
    PeftLora lora =
        new PeftLora()
            .linear(Q0, 6, 4, 2)
            .config("{\"base_model_name_or_path\":\"models/secret\"}");

    ImportedLora imported = read(lora);

    assertThat(imported.file().adapter().base().name()).isEmpty();
    assertThat(imported.report().notes()).anyMatch(note -> note.contains("is a path"));
  }

  private PeftLora withEmbeddingItself() {
    String module = "base_model.model.model.embed_tokens.";
    return new PeftLora()
        .with(module + "base_layer.weight", 9, 4)
        .with(module + "lora_embedding_A", 2, 9)
        .with(module + "lora_embedding_B", 4, 2);
  }

  @Test
  void embeddingThatIsTheBases_isLeftOut() throws Exception {
    PeftLora lora = withEmbeddingItself();
    Path base =
        new PeftLora()
            .with(
                "model.embed_tokens.weight",
                DType.F32,
                lora.values("base_model.model.model.embed_tokens.base_layer.weight"),
                9,
                4)
            .writeModel(folder.resolve("base"), "llama");

    ImportedLora imported = read(lora, base);

    assertThat(imported.file().adapter().dense()).isEmpty();
    assertThat(imported.file().adapter().layers()).hasSize(1);
    assertThat(imported.report().notes()).anyMatch(note -> note.contains("left out"));
  }

  @Test
  void embeddingThatMayDiffer_isStoredWholeWithItsLoraAdded() throws Exception {
    PeftLora lora = withEmbeddingItself();

    ImportedLora imported = read(lora);

    String module = "base_model.model.model.embed_tokens.";
    double[] expected =
        transposed(
            product(
                lora.values(module + "lora_embedding_B"),
                lora.values(module + "lora_embedding_A"),
                2,
                3),
            9);
    float[] weight = lora.values(module + "base_layer.weight");
    DenseTensor dense = imported.file().adapter().dense().getFirst();
    assertThat(dense.name()).isEqualTo("model.embed_tokens.weight");
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) dense.data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i))
          .isCloseTo(weight[i] + expected[i], within(1e-5));
    }
    assertThat(imported.file().adapter().layers()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "model.language_model.layers.0.q_proj, language_model.model.layers.0.q_proj",
    "model.language_model.layers.0.q_proj, model.layers.0.q_proj",
    "model.layers.0.q_proj, model.language_model.layers.0.q_proj",
    "model.visual.blocks.0.qkv, visual.blocks.0.qkv",
    "layers.0.q_proj, model.layers.0.q_proj",
    "lm_head, language_model.lm_head",
    "vit.layers.0.attention.q_proj, vit.encoder.layer.0.attention.attention.query",
    "vit.layers.0.mlp.fc1, vit.encoder.layer.0.intermediate.dense",
  })
  void tensorsHaveTheNamesOfTheBase(String module, String name) throws Exception {
    Path base =
        new PeftLora()
            .with(name + ".weight", 6, 4)
            .with("model.vision.blocks.0.q_proj.weight", 6, 4)
            .writeModel(folder.resolve("base"), "x");

    ImportedLora imported = read(new PeftLora().linear(module, 6, 4, 2), base);

    assertThat(imported.file().adapter().layers().getFirst().tensor()).isEqualTo(name + ".weight");
    ModelMerge.into(base).adapter(imported.file()).build().write(folder.resolve("merged"));
  }

  @Test
  void identityOfTheBase_isThatWhichAMergeChecks() throws Exception {
    Path base =
        new PeftLora()
            .with("model.embed_tokens.weight", 9, 4)
            .with(Q0 + ".weight", 6, 4)
            .writeModel(folder.resolve("base"), "llama");

    ImportedLora imported =
        read(new PeftLora().linear(Q0, 6, 4, 2).linear("lm_head", 9, 4, 2), base);

    assertThat(imported.file().adapter().base().identity()).isNotNull();
    ModelMerge.Report report =
        ModelMerge.into(base).adapter(imported.file()).build().write(folder.resolve("merged"));
    assertThat(report.merged()).isEqualTo(2);
    assertThat(report.warnings()).singleElement().asString().contains("tied");
  }

  @Test
  void reportedErrorsAreThoseOfTheProduct() throws Exception {
    PeftLora lora = new PeftLora().linear(Q0, 40, 30, 2).linear(UP, 20, 30, 2);
    Path path = lora.write(folder.resolve("lora"));
    List<Double> overall = new ArrayList<>();
    for (int bits : List.of(16, 8, 4, 2, 1)) {
      ImportedLora imported = LoraImport.of(path).bits(bits).read();
      double difference = 0;
      double norm = 0;
      double largest = 0;
      for (int i = 0; i < 2; i++) {
        String module = imported.file().adapter().layers().get(i).tensor().replace(".weight", "");
        double[] exact = product(lora.b(module), lora.a(module), 2, 3);
        double[] delta = delta(imported, i);
        double one = 0;
        double of = 0;
        for (int j = 0; j < exact.length; j++) {
          one += Math.pow(delta[j] - exact[j], 2);
          of += exact[j] * exact[j];
        }
        difference += one;
        norm += of;
        largest = Math.max(largest, Math.sqrt(one / of));
      }
      assertThat(imported.report().quantization().overall())
          .isCloseTo(Math.sqrt(difference / norm), within(1e-7));
      assertThat(imported.report().quantization().largest()).isCloseTo(largest, within(1e-7));
      overall.add(imported.report().quantization().overall());
      if (bits == 16) {
        assertThat(imported.report().f16().overall())
            .isGreaterThan(4 * imported.report().quantization().overall());
      }
    }
    assertThat(overall).isSorted();
  }

  @Test
  void untrainedLora_hasLayersOfZeroAndIsSaidToHaveNoEffect() throws Exception {
    PeftLora lora =
        new PeftLora()
            .with("base_model.model.a.lora_A.weight", 2, 4)
            .with("base_model.model.a.lora_B.weight", DType.F32, new float[12], 6, 2);

    ImportedLora imported = read(lora);

    assertThat(imported.file().adapter().layers().getFirst().scale()).isZero();
    assertThat(imported.report().quantization().overall()).isZero();
    assertThat(imported.report().notes()).anyMatch(note -> note.contains("has not been trained"));
  }

  @ParameterizedTest
  @CsvSource({
    "acme/llama-2, acme/llama-2",
    "gpt2, gpt2",
    "/home/ann/models/llama, ''",
    "./llama, ''",
    "~/llama, ''",
    "C:\\models\\llama, ''",
    "models/acme/llama, ''",
    "https://example.org/llama, ''",
  })
  void pathOfTheBase_isNotTakenOver(String stated, String name) throws Exception {
    PeftLora lora = new PeftLora().linear(Q0, 6, 4, 2);
    lora.config("{\"base_model_name_or_path\":\"%s\"}".formatted(stated.replace("\\", "\\\\")));

    ImportedLora imported = read(lora);

    assertThat(imported.file().adapter().base().name()).isEqualTo(name);
    assertThat(imported.report().notes().stream().anyMatch(note -> note.contains("is a path")))
        .isEqualTo(name.isEmpty());
  }

  @Test
  void equalFilesGiveEqualBytes() throws Exception {
    PeftLora lora = new PeftLora().linear(Q0, 6, 4, 2).linear(UP, 5, 4, 2);
    ImportedLora first = read(lora);

    ImportedLora second =
        LoraImport.of(folder.resolve("lora").resolve("adapter_model.safetensors")).read();

    assertThat(second.file().toBytes()).isEqualTo(first.file().toBytes());
    assertThat(first.file().adapter().metadata().provenance())
        .containsEntry("method", "lora")
        .containsEntry("rank", "2")
        .containsEntry("alpha", "6")
        .containsEntry("bits", "16");
    assertThat(first.report().bytes())
        .isEqualTo(Files.size(folder.resolve("lora").resolve("adapter_model.safetensors")));
  }

  @Test
  void settingThatIsNotKnown_isReported() throws Exception {
    PeftLora lora = new PeftLora().linear(Q0, 6, 4, 2).config("{\"use_something\":true}");

    assertThat(read(lora).report().notes()).anyMatch(note -> note.contains("use_something"));
  }

  @Test
  void codes_haveTheWidthAskedFor() throws Exception {
    Path lora = new PeftLora().linear(Q0, 6, 4, 2).write(folder.resolve("lora"));

    Layer layer = LoraImport.of(lora).bits(3).read().file().adapter().layers().getFirst();

    assertThat(layer.coefficients().alpha()).extracting(Codes::bits).isEqualTo(3);
  }
}

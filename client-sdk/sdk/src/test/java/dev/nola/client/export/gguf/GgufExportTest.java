package dev.nola.client.export.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.ExportRefusedException.Reason;
import dev.nola.client.export.LoraExport;
import dev.nola.client.export.TestLayers;
import dev.nola.client.gguf.GgufFile;
import dev.nola.client.merge.ModelMerge;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Reconstructor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The LoRAs are loaded by llama.cpp; the version of its binding for Java knows no Qwen 3. */
class GgufExportTest {
  @TempDir private Path folder;

  @TempDir private static Path library;

  private final TestLayers layers = new TestLayers();
  private int count;

  /** Keeps the native library out of the folder that all processes share. */
  @BeforeAll
  static void extractLibrary() {
    System.setProperty("de.kherud.llama.tmpdir", library.toString());
  }

  @ParameterizedTest
  @CsvSource({
    "llama, F32",
    "llama, F16",
    "llama, BF16",
    "mistral, F32",
    "qwen2, F32",
    "gemma2, F32",
    "gpt2, F32"
  })
  void llamaCppContinuesAsWithTheMergedModel(String type, DType dtype) throws Exception {
    Path base = TinyDecoder.writeFolder(folder.resolve("base"), type);
    Adapter.Builder adapter = Adapter.builder().generator(Generator.IDENTITY);
    for (int layer = 0; layer < TinyDecoder.layers(type); layer++) {
      TinyDecoder.modules(type, layer)
          .forEach((module, shape) -> adapter.layer(matrix(module, shape, 1 + count++ % 3)));
    }
    AdapterFile file = seal(adapter);
    Path merged = folder.resolve("merged");
    ModelMerge.into(base).adapter(file).build().write(merged);
    Path lora = folder.resolve("lora.gguf");

    LoraExport.Report report =
        LoraExport.of(file, new GgufFormat()).base(base).dtype(dtype).build().write(lora);

    assertThat(report.files()).containsExactly("lora.gguf");
    assertThat(report.rank()).isEqualTo(3);
    Path model = TinyDecoder.convert(base, type, folder.resolve("base.gguf"));
    String expected =
        continued(TinyDecoder.convert(merged, type, folder.resolve("merged.gguf")), null);
    assertThat(expected).hasSizeGreaterThan(10);
    assertThat(continued(model, lora)).isEqualTo(expected).isNotEqualTo(continued(model, null));
  }

  @Test
  void fileNamesArchitectureAndAlpha() throws Exception {
    Path base = TinyDecoder.writeFolder(folder.resolve("base"), "llama");
    String module = "model.layers.1.mlp.up_proj";
    AdapterFile file =
        seal(
            Adapter.builder()
                .generator(Generator.IDENTITY)
                .layer(matrix(module, List.of(TinyDecoder.INNER, TinyDecoder.HIDDEN), 2)));
    Path lora = folder.resolve("lora.gguf");

    LoraExport.of(file, new GgufFormat()).base(base).baseName("acme/x").build().write(lora);

    try (GgufFile gguf = GgufFile.open(lora)) {
      assertThat(gguf.text("general.architecture")).hasValue("llama");
      assertThat(gguf.text("general.type")).hasValue("adapter");
      assertThat(gguf.text("general.name")).hasValue("LoRA for acme/x");
      assertThat(gguf.text("adapter.type")).hasValue("lora");
      assertThat(gguf.number("adapter.lora.alpha")).hasValue(2);
      assertThat(gguf.text("nola.reconstruction_digest"))
          .hasValue(file.reconstructionDigest().toString());
      assertThat(gguf.tensors().keySet())
          .containsExactly("blk.1.ffn_up.weight.lora_a", "blk.1.ffn_up.weight.lora_b");
      assertThat(gguf.tensors().get("blk.1.ffn_up.weight.lora_b").shape())
          .containsExactly((long) TinyDecoder.INNER, 2L);
    }
  }

  @Test
  void withoutABaseTheArchitectureIsNotKnown() throws Exception {
    AdapterFile file = seal(query());

    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(
            () -> LoraExport.of(file, new GgufFormat()).build().write(folder.resolve("lora.gguf")))
        .withMessageEndingWith(LoraExport.NO_BASE)
        .satisfies(refused -> assertThat(refused.reason()).isEqualTo(Reason.ARCHITECTURE));
  }

  @Test
  void otherArchitecturesAreNamed() throws Exception {
    Path base = TinyDecoder.writeFolder(folder.resolve("base"), "llama");
    Files.writeString(base.resolve("config.json"), "{\"model_type\": \"mamba\"}");

    refused(query(), base)
        .withMessage(
            "base model of type mamba cannot have a GGUF LoRA; must be one of [gemma2, gpt2, llama, mistral, qwen2, qwen3]");
  }

  @Test
  void denseTensorsAreNamed() throws Exception {
    DenseTensor norm =
        new DenseTensor(
            "model.norm.weight",
            DType.F32,
            List.of(TinyDecoder.HIDDEN),
            MemorySegment.ofArray(new byte[4 * TinyDecoder.HIDDEN]));
    Path base = TinyDecoder.writeFolder(folder.resolve("base"), "llama");

    refused(query().dense(norm), base)
        .satisfies(
            refused ->
                assertThat(refused.details())
                    .containsExactly(
                        "model.norm.weight: is stored whole; a GGUF LoRA has factors alone"));
    assertThat(folder.resolve("lora.gguf")).doesNotExist();
  }

  @Test
  void modulesThatLlamaCppLacksAreNamed() throws Exception {
    Path base = TinyDecoder.writeFolder(folder.resolve("base"), "llama");
    Files.writeString(
        base.resolve("config.json"),
        "{\"model_type\": \"gpt2\", \"num_attention_heads\": 4, \"tie_word_embeddings\": false}");

    refused(query(), base)
        .satisfies(
            refused ->
                assertThat(refused.details())
                    .singleElement()
                    .asString()
                    .contains("self_attn.q_proj: llama.cpp has no such linear module"));
  }

  @Test
  void tiedOutputIsNamed() throws Exception {
    Path base = TinyDecoder.writeFolder(folder.resolve("base"), "llama");
    Files.writeString(
        base.resolve("config.json"),
        "{\"model_type\": \"llama\", \"num_attention_heads\": 4, \"tie_word_embeddings\": true}");
    Adapter.Builder adapter = Adapter.builder().generator(Generator.IDENTITY);

    refused(adapter.layer(matrix("lm_head", List.of(64, TinyDecoder.HIDDEN), 1)), base)
        .satisfies(
            refused ->
                assertThat(refused.details())
                    .singleElement()
                    .asString()
                    .startsWith("lm_head: is the input embedding"));
  }

  /** The rows of queries and keys could not be permuted, and the LoRA would have another effect. */
  @Test
  void configWithoutHeadsIsRefused() throws Exception {
    Path base = TinyDecoder.writeFolder(folder.resolve("base"), "llama");
    Files.writeString(
        base.resolve("config.json"), "{\"model_type\": \"llama\", \"tie_word_embeddings\": false}");
    refused(query(), base)
        .withMessage(
            "a GGUF LoRA for a model of type llama needs num_attention_heads in the base model's config");
  }

  private ThrowableAssertAlternative<ExportRefusedException> refused(
      Adapter.Builder adapter, Path base) throws Exception {
    AdapterFile file = seal(adapter);
    return assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(
            () ->
                LoraExport.of(file, new GgufFormat())
                    .base(base)
                    .build()
                    .write(folder.resolve("lora.gguf")));
  }

  private Adapter.Builder query() {
    return Adapter.builder()
        .generator(Generator.IDENTITY)
        .layer(
            matrix(
                "model.layers.0.self_attn.q_proj",
                List.of(TinyDecoder.HIDDEN, TinyDecoder.HIDDEN),
                2));
  }

  private Layer matrix(String module, List<Integer> shape, int rank) {
    return layers.matrix(module, shape.getFirst(), shape.getLast(), rank);
  }

  private static AdapterFile seal(Adapter.Builder adapter) throws Exception {
    return Reconstructor.standard().seal(adapter.build());
  }

  /** The likeliest tokens that follow a prompt, one letter each. */
  private static String continued(Path model, @Nullable Path lora) {
    ModelParameters parameters =
        new ModelParameters()
            .setModel(model.toString())
            .setCtxSize(64)
            .setThreads(1)
            .skipWarmup()
            .disableLog();
    if (lora != null) {
      parameters.addLoraAdapter(lora.toString());
    }
    try (LlamaModel loaded = new LlamaModel(parameters)) {
      return loaded.complete(
          new InferenceParameters("someWords")
              .setNPredict(24)
              .setTemperature(0)
              .setCachePrompt(false)
              .setIgnoreEos(true));
    }
  }
}

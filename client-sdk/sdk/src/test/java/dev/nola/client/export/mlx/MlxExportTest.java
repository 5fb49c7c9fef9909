package dev.nola.client.export.mlx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.LoraExport;
import dev.nola.client.export.TestLayers;
import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** interop/peft loads such folders in mlx-lm. */
class MlxExportTest {
  private static final String QUERY = "model.layers.2.self_attn.q_proj";
  private static final String UP = "model.layers.4.mlp.up_proj";

  @TempDir private Path folder;

  private final TestLayers layers = new TestLayers();

  @Test
  void factorsAreTransposedAndOfOneRank() throws Exception {
    AdapterFile file = TestLayers.seal(layers.matrix(QUERY, 6, 4, 2), layers.matrix(UP, 8, 4, 3));

    LoraExport.of(file, new MlxFormat()).dtype(DType.BF16).build().write(lora());

    try (SafetensorsFile weights = SafetensorsFile.open(lora().resolve("adapters.safetensors"))) {
      assertThat(weights.tensors().values())
          .extracting(Tensor::toString)
          .containsExactlyInAnyOrder(
              QUERY + ".lora_a BF16[4, 3]",
              QUERY + ".lora_b BF16[3, 6]",
              UP + ".lora_a BF16[4, 3]",
              UP + ".lora_b BF16[3, 8]");
    }
    assertThat(config().path("fine_tune_type").asString()).isEqualTo("lora");
    assertThat(config().path("num_layers").asInt()).isEqualTo(-1);
    assertThat(config().path("lora_parameters").toString())
        .isEqualTo(
            "{\"rank\":3,\"scale\":1.0,\"dropout\":0.0,\"keys\":[\"mlp.up_proj\",\"self_attn.q_proj\"]}");
  }

  @Test
  void layersAreCountedFromTheLastOfTheBase() throws Exception {
    Layer query = layers.matrix(QUERY, 6, 4, 2);
    Layer head = layers.matrix("lm_head", 9, 4, 2);
    Path base =
        base(
            "{\"model_type\": \"llama\", \"num_hidden_layers\": 12, \"tie_word_embeddings\": false}",
            query,
            head);

    LoraExport.of(TestLayers.seal(query, head), new MlxFormat()).base(base).build().write(lora());

    assertThat(config().path("num_layers").asInt()).isEqualTo(10);
    assertThat(config().path("lora_parameters").path("keys").toString())
        .isEqualTo("[\"lm_head\",\"self_attn.q_proj\"]");
  }

  @Test
  void gpt2IsUnderModel() throws Exception {
    Layer layer = layers.matrix("h.1.attn.c_attn", 4, 12, 2);
    Path base = base("{\"model_type\": \"gpt2\", \"n_layer\": 3}", layer);

    LoraExport.of(TestLayers.seal(layer), new MlxFormat()).base(base).build().write(lora());

    try (SafetensorsFile weights = SafetensorsFile.open(lora().resolve("adapters.safetensors"))) {
      assertThat(weights.tensors().values())
          .extracting(Tensor::toString)
          .containsExactly(
              "model.h.1.attn.c_attn.lora_a F32[4, 2]", "model.h.1.attn.c_attn.lora_b F32[2, 12]");
    }
    assertThat(config().path("num_layers").asInt()).isEqualTo(2);
  }

  @Test
  void outputThatMayBeTiedAndEmbeddingsAreNamed() throws Exception {
    AdapterFile file =
        TestLayers.seal(
            layers.matrix("lm_head", 9, 4, 2), layers.matrix("model.embed_tokens", 9, 4, 2));
    AdapterFile head = TestLayers.seal(layers.matrix("lm_head", 9, 4, 2));

    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> LoraExport.of(file, new MlxFormat()).build().write(lora()))
        .satisfies(
            refused ->
                assertThat(refused.details())
                    .containsExactly(
                        "model.embed_tokens.weight: is an embedding; a LoRA for mlx-lm has linear modules alone"));
    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> LoraExport.of(head, new MlxFormat()).build().write(lora()))
        .satisfies(
            refused ->
                assertThat(refused.details())
                    .singleElement()
                    .asString()
                    .startsWith("lm_head: may be the input embedding")
                    .endsWith(LoraExport.NAME_BASE));
  }

  private Path lora() {
    return folder.resolve("lora");
  }

  private JsonNode config() throws IOException {
    return JsonMapper.shared().readTree(Files.readAllBytes(lora().resolve("adapter_config.json")));
  }

  private Path base(String config, Layer... adapted) throws IOException {
    Path base = Files.createDirectory(folder.resolve("base"));
    Files.writeString(base.resolve("config.json"), config);
    List<Slot> slots =
        Stream.of(adapted)
            .map(
                layer ->
                    new Slot(
                        layer.tensor(),
                        "F32",
                        List.of((long) layer.rows(), (long) layer.cols()),
                        4L * layer.rows() * layer.cols()))
            .toList();
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(base.resolve("model.safetensors"), slots, Map.of())) {
      for (Slot slot : slots) {
        writer.write(slot.name(), MemorySegment.ofArray(new byte[(int) slot.bytes()]));
      }
    }
    return base;
  }
}

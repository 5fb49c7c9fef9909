package dev.nola.client.dequantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.client.Progress;
import dev.nola.client.gguf.Gguf;
import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.Model;
import dev.nola.files.FileTree;
import dev.nola.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class GgufConversionTest {
  @TempDir private Path folder;

  /** A Llama of one layer: hidden size 4, one head of 4, vocabulary 3. */
  private static Gguf llama(String architecture) throws IOException {
    return llama(architecture, "none");
  }

  /** A model without one of its tensors. */
  private static Gguf llama(String architecture, String absent) throws IOException {
    String prefix = architecture + ".";
    float[] square = new float[16];
    for (int i = 0; i < 16; i++) {
      square[i] = i;
    }
    Gguf gguf =
        new Gguf()
            .text("general.architecture", architecture)
            .integer(prefix + "block_count", 1)
            .integer(prefix + "context_length", 64)
            .integer(prefix + "embedding_length", 4)
            .integer(prefix + "feed_forward_length", 4)
            .integer(prefix + "attention.head_count", 1)
            .number(prefix + "attention.layer_norm_rms_epsilon", 1e-6f)
            .tensor("token_embd.weight", List.of(3, 4), new float[12]);
    Map<String, float[]> tensors = new LinkedHashMap<>();
    for (String norm : List.of("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm")) {
      tensors.put(norm + ".weight", new float[] {1, 2, 3, 4});
    }
    for (String module :
        List.of("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")) {
      tensors.put("blk.0." + module + ".weight", square);
    }
    for (String module : List.of("attn_q", "attn_k", "attn_v")) {
      if (architecture.equals("qwen2")) {
        tensors.put("blk.0." + module + ".bias", new float[4]);
      }
    }
    for (String module : List.of("attn_q_norm", "attn_k_norm")) {
      if (architecture.equals("qwen3")) {
        tensors.put("blk.0." + module + ".weight", new float[4]);
      }
    }
    tensors.remove(absent);
    for (Map.Entry<String, float[]> tensor : tensors.entrySet()) {
      float[] values = tensor.getValue();
      gguf.tensor(
          tensor.getKey(), values.length == 16 ? List.of(4, 4) : List.of(values.length), values);
    }
    return gguf;
  }

  private ModelDequantizer.Report convert(Gguf gguf) throws IOException {
    Path file = gguf.write(folder.resolve("m.gguf"));
    return new ModelDequantizer(file, null, Progress.NONE).write(folder.resolve("plain"));
  }

  private void refused(Gguf gguf, String message) {
    assertThatThrownBy(() -> convert(gguf))
        .isInstanceOf(InvalidModelException.class)
        .hasMessageContaining(message);
    assertThat(folder.resolve("plain")).doesNotExist();
  }

  private JsonNode json(String name) throws IOException {
    return JsonMapper.shared().readTree(Files.readAllBytes(folder.resolve("plain").resolve(name)));
  }

  private float[] firstColumn(Model model, String name) {
    float[] values = new float[16];
    StoredFloats.values(model.tensors().get(name)).orElseThrow().read(0, 4, values);
    return new float[] {values[0], values[4], values[8], values[12]};
  }

  @Test
  void rowsOfQueriesAndKeysOfLlamaArePutBack() throws IOException {
    assertThat(convert(llama("llama")).dtype()).isEqualTo(DType.F32);
    try (Model model = Model.open(folder.resolve("plain"))) {
      String attention = "model.layers.0.self_attn.";
      assertThat(firstColumn(model, attention + "q_proj.weight")).containsExactly(0, 8, 4, 12);
      assertThat(firstColumn(model, attention + "k_proj.weight")).containsExactly(0, 8, 4, 12);
      assertThat(firstColumn(model, attention + "v_proj.weight")).containsExactly(0, 4, 8, 12);
      assertThat(model.tensors()).containsKeys("model.norm.weight", "model.embed_tokens.weight");
    }
    JsonNode config = json("config.json");
    assertThat(config.path("architectures").get(0).asString()).isEqualTo("LlamaForCausalLM");
    assertThat(config.path("rms_norm_eps").asDouble()).isEqualTo(1e-6);
    assertThat(config.path("tie_word_embeddings").asBoolean()).isTrue();
    assertThat(config.path("vocab_size").asInt()).isEqualTo(3);
    assertThat(config.path("torch_dtype").asString()).isEqualTo("float32");
  }

  @Test
  void rowsOfQwenStay() throws IOException {
    convert(llama("qwen2").tensor("output.weight", List.of(3, 4), new float[12]));
    try (Model model = Model.open(folder.resolve("plain"))) {
      assertThat(firstColumn(model, "model.layers.0.self_attn.q_proj.weight"))
          .containsExactly(0, 4, 8, 12);
      assertThat(model.tensors()).containsKey("lm_head.weight");
    }
    assertThat(json("config.json").path("tie_word_embeddings").asBoolean()).isFalse();
  }

  @Test
  void byteLevelTokenizerIsRebuilt() throws IOException {
    ModelDequantizer.Report report =
        convert(
            llama("llama")
                .text("tokenizer.ggml.model", "gpt2")
                .text("tokenizer.ggml.pre", "llama-bpe")
                .texts("tokenizer.ggml.tokens", List.of("a", "b", "<s>"))
                .integers("tokenizer.ggml.token_type", List.of(1, 1, 3))
                .texts("tokenizer.ggml.merges", List.of("a b"))
                .integer("tokenizer.ggml.bos_token_id", 2));
    assertThat(report.warnings()).isEmpty();
    JsonNode tokenizer = json("tokenizer.json");
    assertThat(tokenizer.path("model").path("vocab").path("b").asInt()).isEqualTo(1);
    assertThat(tokenizer.path("model").path("ignore_merges").asBoolean()).isTrue();
    assertThat(tokenizer.path("added_tokens").get(0).path("content").asString()).isEqualTo("<s>");
    assertThat(tokenizer.path("post_processor").path("type").asString())
        .isEqualTo("TemplateProcessing");
    assertThat(json("tokenizer_config.json").path("bos_token").asString()).isEqualTo("<s>");
    assertThat(json("config.json").path("bos_token_id").asInt()).isEqualTo(2);
  }

  @Test
  void piecesAreMergedByTheirScores() throws IOException {
    ModelDequantizer.Report report =
        convert(
            llama("llama")
                .text("tokenizer.ggml.model", "llama")
                .texts("tokenizer.ggml.tokens", List.of("<s>", "a", "b", "ab", "ba", "aba"))
                .numbers("tokenizer.ggml.scores", List.of(0f, -9f, -9f, -2f, -1f, -3f))
                .integers("tokenizer.ggml.token_type", List.of(3, 1, 1, 1, 1, 1))
                .integer("tokenizer.ggml.bos_token_id", 0));
    assertThat(report.warnings()).isEmpty();
    JsonNode tokenizer = json("tokenizer.json");
    assertThat(tokenizer.path("model").path("merges"))
        .extracting(JsonNode::asString)
        .containsExactly("b a", "a b", "ab a", "a ba");
    assertThat(tokenizer.path("model").path("byte_fallback").asBoolean()).isTrue();
    assertThat(tokenizer.path("post_processor").path("special_tokens").has("<s>")).isTrue();
  }

  @Test
  void aTokenizerThatIsNotKnownIsMissingAndNamed() throws IOException {
    ModelDequantizer.Report report =
        convert(
            llama("llama")
                .text("tokenizer.ggml.model", "gpt2")
                .text("tokenizer.ggml.pre", "tekken")
                .texts("tokenizer.ggml.tokens", List.of("a", "b", "<s>")));
    assertThat(report.warnings()).singleElement().asString().contains("gpt2, tekken");
    assertThat(folder.resolve("plain/tokenizer.json")).doesNotExist();
  }

  @Test
  void frequenciesOfLlama3AreScalingOfTheConfig() throws IOException {
    // Wavelengths 6.28 and 628 are shorter than 8192/4, so only the type is left to see.
    convert(llama("llama").tensor("rope_freqs.weight", List.of(2), 1, 1));
    assertThat(json("config.json").path("rope_scaling").path("rope_type").asString())
        .isEqualTo("llama3");
    FileTree.delete(folder.resolve("plain"));
    refused(llama("llama").tensor("rope_freqs.weight", List.of(2), 1, 2), "not those of Llama 3");
  }

  @ParameterizedTest
  @CsvSource({
    "llama, output_norm.weight",
    "llama, blk.0.attn_norm.weight",
    "llama, blk.0.ffn_gate.weight",
    "qwen2, blk.0.attn_k.bias",
    "qwen3, blk.0.attn_q_norm.weight"
  })
  void missingTensor_whichTransformersWouldInitialize_isRefused(String architecture, String name)
      throws IOException {
    refused(llama(architecture, name), "has no tensor " + name + "; download it again");
  }

  @ParameterizedTest
  @CsvSource({
    "llama, blk.1.attn_q.weight",
    "llama, blk.0.attn_q_norm.weight",
    "llama, output.bias",
    "qwen2, blk.0.attn_output.bias",
    "qwen3, blk.0.attn_q.bias"
  })
  void tensorThatTransformersWouldIgnore_isRefused(String architecture, String name)
      throws IOException {
    refused(
        llama(architecture).tensor(name, List.of(4), new float[4]),
        "has a tensor %s, which is not part of a model of type %s".formatted(name, architecture));
  }

  @Test
  void sizeOfEachLayer_isTakenIfItIsEqual() throws IOException {
    convert(llama("llama").integers("llama.attention.head_count_kv", List.of(1, 1)));
    assertThat(json("config.json").path("num_key_value_heads").asInt()).isEqualTo(1);
    FileTree.delete(folder.resolve("plain"));
    refused(
        llama("llama").integers("llama.attention.head_count_kv", List.of(1, 2)),
        "has layers with different llama.attention.head_count_kv: [1, 2]; must be equal");
  }

  @Test
  void whatTheConfigCannotExpressIsRefused() throws IOException {
    refused(llama("gemma3"), "has architecture \"gemma3\"; must be one of [llama, qwen2, qwen3]");
    refused(llama("llama").integer("llama.expert_count", 8), "is a mixture of experts");
    refused(llama("llama").integer("llama.rope.dimension_count", 2), "rotates a part of each head");
    refused(llama("llama").text("llama.rope.scaling.type", "yarn"), "scales rotary positions");
    refused(llama("llama").number("llama.logit_scale", 2), "has llama.logit_scale, which");
    refused(llama("llama").tensor("blk.0.odd.weight", List.of(1), 1), "tensor blk.0.odd.weight");
    refused(llama("llama").tensor("blk.0.attn_q.bias", List.of(4), 0, 0, 0, 0), "has biases for");
    refused(llama("llama").integer("split.count", 2), "is one of several parts");
    refused(llama("llama").text("general.type", "adapter"), "is a LoRA, not a model");
    refused(new Gguf().text("general.architecture", "llama"), "has no llama.attention.head_count");
  }
}

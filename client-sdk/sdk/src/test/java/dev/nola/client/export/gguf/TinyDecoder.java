package dev.nola.client.export.gguf;

import dev.nola.client.gguf.Gguf;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.client.safetensors.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;

/** Small models with random weights, in the files of Transformers and of llama.cpp. */
final class TinyDecoder {
  static final int HIDDEN = 32;
  static final int HEADS = 4;
  static final int KEY_HEADS = 2;
  static final int HEAD = HIDDEN / HEADS;
  static final int INNER = 48;

  /** Tokens that llama.cpp does not print, which the output embedding makes unlikely. */
  private static final List<String> CONTROL = List.of("<unk>", "<s>", "</s>");

  private static final String LETTERS =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678";

  private static final int WORDS = CONTROL.size() + LETTERS.length();

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private TinyDecoder() {}

  /** Returns 2; of Gemma 2 the least number with which llama.cpp takes it. */
  static int layers(String type) {
    return type.equals("gemma2") ? 26 : 2;
  }

  /** The names and shapes of the adaptable weights of one layer, as out×in or, of GPT-2, in×out. */
  static SequencedMap<String, List<Integer>> modules(String type, int layer) {
    SequencedMap<String, List<Integer>> shapes = new LinkedHashMap<>();
    if (type.equals("gpt2")) {
      String block = "transformer.h." + layer;
      shapes.put(block + ".attn.c_attn", List.of(HIDDEN, 3 * HIDDEN));
      shapes.put(block + ".attn.c_proj", List.of(HIDDEN, HIDDEN));
      shapes.put(block + ".mlp.c_fc", List.of(HIDDEN, 4 * HIDDEN));
      shapes.put(block + ".mlp.c_proj", List.of(4 * HIDDEN, HIDDEN));
    } else {
      String block = "model.layers." + layer;
      shapes.put(block + ".self_attn.q_proj", List.of(HIDDEN, HIDDEN));
      shapes.put(block + ".self_attn.k_proj", List.of(KEY_HEADS * HEAD, HIDDEN));
      shapes.put(block + ".self_attn.v_proj", List.of(KEY_HEADS * HEAD, HIDDEN));
      shapes.put(block + ".self_attn.o_proj", List.of(HIDDEN, HIDDEN));
      shapes.put(block + ".mlp.gate_proj", List.of(INNER, HIDDEN));
      shapes.put(block + ".mlp.up_proj", List.of(INNER, HIDDEN));
      shapes.put(block + ".mlp.down_proj", List.of(HIDDEN, INNER));
    }
    return shapes;
  }

  /** Writes a folder of Transformers. */
  static Path writeFolder(Path folder, String type) throws IOException {
    Random random = new Random(3);
    SequencedMap<String, float[]> values = new LinkedHashMap<>();
    List<Slot> slots = new ArrayList<>();
    boolean isGpt2 = type.equals("gpt2");
    String prefix = isGpt2 ? "transformer." : "model.";
    String embedding = prefix + (isGpt2 ? "wte" : "embed_tokens");
    add(embedding, List.of(WORDS, HIDDEN), 1, random, slots, values);
    if (!isTied(type)) {
      add("lm_head", List.of(WORDS, HIDDEN), 1, random, slots, values);
    }
    String output = isTied(type) ? embedding : "lm_head";
    Arrays.fill(values.get(output + ".weight"), 0, CONTROL.size() * HIDDEN, 0);
    if (isGpt2) {
      add(prefix + "wpe", List.of(64, HIDDEN), 0.3, random, slots, values);
    }
    norm(prefix + (isGpt2 ? "ln_f" : "norm"), isGpt2, slots, values);
    for (int layer = 0; layer < layers(type); layer++) {
      String block = prefix + (isGpt2 ? "h." : "layers.") + layer;
      norm(block + (isGpt2 ? ".ln_1" : ".input_layernorm"), isGpt2, slots, values);
      norm(block + (isGpt2 ? ".ln_2" : ".post_attention_layernorm"), isGpt2, slots, values);
      if (type.equals("gemma2")) {
        norm(block + ".pre_feedforward_layernorm", false, slots, values);
        norm(block + ".post_feedforward_layernorm", false, slots, values);
      }
      modules(type, layer).forEach((name, shape) -> add(name, shape, 0.3, random, slots, values));
      for (Map.Entry<String, List<Integer>> module : modules(type, layer).entrySet()) {
        if (isGpt2) {
          put(module.getKey() + ".bias", List.of(module.getValue().getLast()), 0, slots, values);
        } else if (type.equals("qwen2") && module.getKey().matches(".*[qkv]_proj")) {
          put(module.getKey() + ".bias", List.of(module.getValue().getFirst()), 0, slots, values);
        }
      }
    }
    Files.createDirectories(folder);
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"model_type": "%s", "num_attention_heads": %d, "num_key_value_heads": %d,
         "tie_word_embeddings": %s}"""
            .formatted(type, HEADS, KEY_HEADS, isTied(type)));
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(folder.resolve("model.safetensors"), slots, Map.of())) {
      for (Slot slot : slots) {
        writer.write(slot.name(), MemorySegment.ofArray(bytes(values.get(slot.name()))));
      }
    }
    return folder;
  }

  private static boolean isTied(String type) {
    return type.equals("gemma2");
  }

  private static void norm(
      String module, boolean hasBias, List<Slot> slots, Map<String, float[]> values) {
    put(module + ".weight", List.of(HIDDEN), 1, slots, values);
    if (hasBias) {
      put(module + ".bias", List.of(HIDDEN), 0, slots, values);
    }
  }

  private static void add(
      String module,
      List<Integer> shape,
      double deviation,
      Random random,
      List<Slot> slots,
      Map<String, float[]> values) {
    put(module + ".weight", shape, 0, slots, values);
    float[] weights = values.get(module + ".weight");
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (deviation * random.nextGaussian());
    }
  }

  private static void put(
      String name,
      List<Integer> shape,
      float value,
      List<Slot> slots,
      Map<String, float[]> values) {
    int elements = shape.stream().reduce(1, Math::multiplyExact);
    float[] filled = new float[elements];
    Arrays.fill(filled, value);
    values.put(name, filled);
    slots.add(
        new Slot(name, "F32", shape.stream().map(Integer::longValue).toList(), 4L * elements));
  }

  private static byte[] bytes(float[] values) {
    byte[] bytes = new byte[4 * values.length];
    MemorySegment segment = MemorySegment.ofArray(bytes);
    for (int i = 0; i < values.length; i++) {
      segment.set(FLOAT, 4L * i, values[i]);
    }
    return bytes;
  }

  /** Converts a folder as llama.cpp's convert_hf_to_gguf.py does. */
  static Path convert(Path folder, String type, Path file) throws IOException {
    boolean isGpt2 = type.equals("gpt2");
    String architecture = type.equals("mistral") ? "llama" : type;
    String prefix = architecture + ".";
    Gguf gguf =
        new Gguf()
            .text("general.architecture", architecture)
            .integer(prefix + "block_count", layers(type))
            .integer(prefix + "context_length", 64)
            .integer(prefix + "embedding_length", HIDDEN)
            .integer(prefix + "feed_forward_length", isGpt2 ? 4 * HIDDEN : INNER)
            .integer(prefix + "attention.head_count", HEADS)
            .integer(prefix + "attention.head_count_kv", isGpt2 ? HEADS : KEY_HEADS)
            .number(prefix + "attention.layer_norm_rms_epsilon", 1e-6f)
            .number(prefix + "attention.layer_norm_epsilon", 1e-5f)
            .text("tokenizer.ggml.model", "llama")
            .texts("tokenizer.ggml.tokens", tokens())
            .numbers("tokenizer.ggml.scores", tokens().stream().map(token -> 0f).toList())
            .integers(
                "tokenizer.ggml.token_type",
                tokens().stream()
                    .map(token -> token.equals("<unk>") ? 2 : token.length() > 1 ? 3 : 1)
                    .toList())
            .isSet("tokenizer.ggml.add_space_prefix", false);
    try (Model model = Model.open(folder)) {
      for (Tensor tensor : model.tensors().values()) {
        float[] values = new float[(int) tensor.elements()];
        for (int i = 0; i < values.length; i++) {
          values[i] = tensor.data().get(FLOAT, 4L * i);
        }
        List<Integer> shape = tensor.shape().stream().map(Long::intValue).toList();
        String name = tensor.name();
        if (architecture.equals("llama") && name.matches(".*[qk]_proj.weight")) {
          values = permuted(values, HEAD);
        } else if (name.matches(".*\\.c_\\w+\\.weight")) {
          values = transposed(values, shape.getLast());
          shape = shape.reversed();
        }
        gguf.tensor(converted(name, type), shape, values);
      }
    }
    return gguf.write(file);
  }

  private static List<String> tokens() {
    List<String> tokens = new ArrayList<>(CONTROL);
    LETTERS.chars().forEach(letter -> tokens.add(Character.toString(letter)));
    return tokens;
  }

  /** W.reshape(heads, 2, head / 2, in).swapaxes(1, 2), as the converter does it. */
  private static float[] permuted(float[] weight, int head) {
    float[] permuted = new float[weight.length];
    int stored = 0;
    for (int start = 0; start < weight.length / HIDDEN; start += head) {
      for (int i = 0; i < head / 2; i++) {
        for (int half = 0; half < 2; half++) {
          int row = start + half * head / 2 + i;
          System.arraycopy(weight, row * HIDDEN, permuted, stored++ * HIDDEN, HIDDEN);
        }
      }
    }
    return permuted;
  }

  private static float[] transposed(float[] weight, int cols) {
    float[] transposed = new float[weight.length];
    for (int i = 0; i < weight.length; i++) {
      transposed[i % cols * (weight.length / cols) + i / cols] = weight[i];
    }
    return transposed;
  }

  private static String converted(String name, String type) {
    String attentionNorm = type.equals("gemma2") ? "post_attention_norm" : "ffn_norm";
    return name.replaceFirst("^(model\\.layers|transformer\\.h)\\.", "blk.")
        .replace("lm_head", "output")
        .replace("model.embed_tokens", "token_embd")
        .replace("transformer.wte", "token_embd")
        .replace("transformer.wpe", "position_embd")
        .replace("model.norm", "output_norm")
        .replace("transformer.ln_f", "output_norm")
        .replace("input_layernorm", "attn_norm")
        .replace("post_attention_layernorm", attentionNorm)
        .replace("pre_feedforward_layernorm", "ffn_norm")
        .replace("post_feedforward_layernorm", "post_ffw_norm")
        .replace(".ln_1", ".attn_norm")
        .replace(".ln_2", ".ffn_norm")
        .replaceFirst("self_attn\\.([qkv])_proj", "attn_$1")
        .replace("self_attn.o_proj", "attn_output")
        .replace("attn.c_attn", "attn_qkv")
        .replace("attn.c_proj", "attn_output")
        .replace("mlp.c_fc", "ffn_up")
        .replace("mlp.c_proj", "ffn_down")
        .replaceFirst("mlp\\.(gate|up|down)_proj", "ffn_$1");
  }
}

package dev.nola.client.dequantize;

import dev.nola.client.gguf.GgufFile;
import dev.nola.client.gguf.GgufTensor;
import dev.nola.client.gguf.LlamaLayout;
import dev.nola.client.safetensors.InvalidModelException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The names, config and order of rows of the models that llama.cpp computes as Llama, with the
 * permutation of {@link LlamaLayout} undone.
 */
final class LlamaGguf {
  /**
   * How Transformers names an architecture, and how the converter stores it.
   *
   * @param type {@code model_type}
   * @param model the class
   * @param permutesRows whether the converter permutes rows of queries and keys
   */
  private record Family(String type, String model, boolean permutesRows) {}

  private static final Map<String, Family> FAMILIES =
      Map.of(
          "llama", new Family("llama", "LlamaForCausalLM", true),
          "qwen2", new Family("qwen2", "Qwen2ForCausalLM", false),
          "qwen3", new Family("qwen3", "Qwen3ForCausalLM", false));

  private static final Map<String, String> NAMES =
      Map.of(
          "token_embd", "model.embed_tokens",
          "output_norm", "model.norm",
          "output", "lm_head");

  /** Names of a block's modules beside those of {@link LlamaLayout}. */
  private static final Map<String, String> NORM_NAMES =
      Map.of(
          "attn_norm", "input_layernorm",
          "attn_q_norm", "self_attn.q_norm",
          "attn_k_norm", "self_attn.k_norm",
          "ffn_norm", "post_attention_layernorm");

  /** Factors and limits that llama.cpp can apply to any architecture. */
  private static final List<String> SCALES =
      List.of(
          "attention.clamp_kqv",
          "attention.scale",
          "embedding_scale",
          "logit_scale",
          "residual_scale");

  private static final List<String> NORMS = List.of("attn_norm", "ffn_norm");
  private static final List<String> ATTENTION =
      List.of("attn_q", "attn_k", "attn_v", "attn_output");
  private static final List<String> MLP = List.of("ffn_gate", "ffn_up", "ffn_down");

  private static final Pattern BLOCK = Pattern.compile("blk\\.(\\d{1,4})\\.(\\w+)\\.(weight|bias)");
  private static final Pattern OTHER = Pattern.compile("(\\w+)\\.(weight|bias)");

  private final GgufFile file;
  private final String architecture;
  private final Family family;
  private final long heads;
  private final long keyHeads;
  private final long headSize;

  /**
   * Reads sizes.
   *
   * @throws InvalidModelException if it is of another architecture, or lacks a size
   */
  LlamaGguf(GgufFile file) throws InvalidModelException {
    this.file = file;
    if (file.integer("split.count").orElse(1) > 1) {
      throw invalid("is one of several parts; join them with: llama-gguf-split --merge FIRST ALL");
    }
    if (file.text("general.type").orElse("model").equals("adapter")) {
      throw invalid("is a LoRA, not a model; use the one that PEFT saved");
    }
    this.architecture = file.text("general.architecture").orElse("");
    Family found = FAMILIES.get(architecture);
    if (found == null) {
      throw invalid(
          "has architecture \"%s\"; must be one of %s"
              .formatted(architecture, FAMILIES.keySet().stream().sorted().toList()));
    }
    this.family = found;
    if (optional("expert_count").orElse(0) > 0) {
      throw invalid("is a mixture of experts; must be a dense model");
    }
    for (String scale : SCALES) {
      if (file.number(key(scale)).isPresent()) {
        throw invalid(
            "has %s, which models of type %s do not have; use the original model"
                .formatted(key(scale), family.type));
      }
    }
    this.heads = size("attention.head_count");
    this.keyHeads = optional("attention.head_count_kv").orElse(heads);
    long hidden = size("embedding_length");
    if (heads < 1 || keyHeads < 1 || heads % keyHeads != 0) {
      throw invalid("has %d heads and %d key/value heads".formatted(heads, keyHeads));
    }
    this.headSize = optional("attention.key_length").orElse(hidden / heads);
    if (headSize < 2
        || headSize % 2 != 0
        || optional("attention.value_length").orElse(headSize) != headSize
        || optional("rope.dimension_count").orElse(headSize) != headSize) {
      throw invalid("rotates a part of each head, or has values of another size than keys");
    }
  }

  /** Returns whether a tensor is a constant that the config expresses. */
  static boolean isInConfig(String name) {
    return name.equals(RopeScaling.FREQUENCIES);
  }

  /**
   * Returns the name of a tensor in Transformers.
   *
   * @param name its name in the file
   * @throws InvalidModelException if models of this type have no such tensor
   */
  String name(String name) throws InvalidModelException {
    Matcher block = BLOCK.matcher(name);
    if (block.matches()) {
      String module = block.group(2);
      String known = LlamaLayout.MODULES.getOrDefault(module, NORM_NAMES.get(module));
      if (known != null) {
        return "model.layers.%d.%s.%s"
            .formatted(Integer.parseInt(block.group(1)), known, block.group(3));
      }
    }
    Matcher other = OTHER.matcher(name);
    if (other.matches() && NAMES.containsKey(other.group(1))) {
      return NAMES.get(other.group(1)) + "." + other.group(2);
    }
    throw unexpected(name);
  }

  /**
   * Returns the elements of a tensor, with rows in Transformers' order.
   *
   * @throws InvalidModelException if it is of queries or keys, and has not a row for each element
   *     of the heads
   */
  Values values(GgufTensor tensor) throws InvalidModelException {
    long columns = tensor.shape().getLast();
    boolean query = tensor.name().matches("blk\\.\\d+\\.attn_q\\.(weight|bias)");
    boolean key = tensor.name().matches("blk\\.\\d+\\.attn_k\\.(weight|bias)");
    if (!family.permutesRows || !query && !key) {
      return (first, rows, target) ->
          tensor.read(first * columns, target, 0, Math.toIntExact(rows * columns));
    }
    long expected = (query ? heads : keyHeads) * headSize;
    long rotated = tensor.shape().getFirst();
    if (rotated != expected) {
      throw invalid(
          "tensor %s has shape %s; must have %d rows"
              .formatted(tensor.name(), tensor.shape(), expected));
    }
    if (tensor.shape().size() == 1) {
      return (first, rows, target) -> {
        float[] stored = new float[Math.toIntExact(columns)];
        tensor.read(0, stored, 0, stored.length);
        for (int i = 0; i < stored.length; i++) {
          target[i] = stored[Math.toIntExact(LlamaLayout.storedRow(i, headSize))];
        }
      };
    }
    return (first, rows, target) -> {
      int length = Math.toIntExact(columns);
      for (int i = 0; i < rows; i++) {
        tensor.read(
            LlamaLayout.storedRow(first + i, headSize) * columns, target, i * length, length);
      }
    };
  }

  /**
   * Rebuilds the config.
   *
   * @throws InvalidModelException if it lacks a size, or scales rotary positions in a way that the
   *     file does not fully describe
   */
  ObjectNode config() throws InvalidModelException {
    ObjectNode config = JsonMapper.shared().createObjectNode();
    GgufTensor embedding = file.tensors().get("token_embd.weight");
    if (embedding == null) {
      throw invalid("has no tensor token_embd.weight");
    }
    long layers = size("block_count");
    config.putArray("architectures").add(family.model);
    config
        .put("model_type", family.type)
        .put("hidden_act", "silu")
        .put("hidden_size", size("embedding_length"))
        .put("intermediate_size", size("feed_forward_length"))
        .put("num_hidden_layers", layers)
        .put("num_attention_heads", heads)
        .put("num_key_value_heads", keyHeads)
        .put("head_dim", headSize)
        .put("max_position_embeddings", size("context_length"))
        .put("rms_norm_eps", file.number(key("attention.layer_norm_rms_epsilon")).orElse(1e-5))
        .put("rope_theta", file.number(key("rope.freq_base")).orElse(10000))
        .put("tie_word_embeddings", !file.tensors().containsKey("output.weight"))
        .put("vocab_size", embedding.shape().getFirst());
    if (family.type.equals("llama")) {
      config.put("attention_bias", hasBiases(ATTENTION)).put("mlp_bias", hasBiases(MLP));
    }
    for (String token : List.of("bos", "eos")) {
      file.integer("tokenizer.ggml.%s_token_id".formatted(token))
          .ifPresent(id -> config.put(token + "_token_id", id));
    }
    RopeScaling.of(file, architecture, headSize)
        .ifPresent(json -> config.set("rope_scaling", json));
    requireTensors(layers);
    return config;
  }

  /** Tells whether modules of the first layer have biases: either all, or none. */
  private boolean hasBiases(List<String> modules) throws InvalidModelException {
    long found =
        modules.stream()
            .filter(module -> file.tensors().containsKey("blk.0." + module + ".bias"))
            .count();
    if (found != 0 && found != modules.size()) {
      throw invalid("has biases for some of %s; must have them for all or none".formatted(modules));
    }
    return found > 0;
  }

  /**
   * Requires the tensors of the type, and no others: Transformers initializes the weights that a
   * checkpoint lacks, and ignores those that its class does not have.
   */
  private void requireTensors(long layers) throws InvalidModelException {
    List<String> weights = new ArrayList<>(NORMS);
    weights.addAll(ATTENTION);
    weights.addAll(MLP);
    List<String> biases = new ArrayList<>();
    switch (family.type) {
      case "llama" -> {
        biases.addAll(hasBiases(ATTENTION) ? ATTENTION : List.of());
        biases.addAll(hasBiases(MLP) ? MLP : List.of());
      }
      case "qwen2" -> biases.addAll(ATTENTION.subList(0, 3));
      default -> weights.addAll(List.of("attn_q_norm", "attn_k_norm"));
    }
    Set<String> expected = new HashSet<>(Set.of("output.weight", RopeScaling.FREQUENCIES));
    expect("token_embd.weight", expected);
    expect("output_norm.weight", expected);
    for (long i = 0; i < layers; i++) {
      for (String module : weights) {
        expect("blk.%d.%s.weight".formatted(i, module), expected);
      }
      for (String module : biases) {
        expect("blk.%d.%s.bias".formatted(i, module), expected);
      }
    }
    for (String name : file.tensors().keySet()) {
      if (!expected.contains(name)) {
        throw unexpected(name);
      }
    }
  }

  private void expect(String name, Set<String> expected) throws InvalidModelException {
    if (!file.tensors().containsKey(name)) {
      throw invalid("has no tensor %s; download it again".formatted(name));
    }
    expected.add(name);
  }

  private InvalidModelException unexpected(String name) {
    return invalid(
        "has a tensor %s, which is not part of a model of type %s; use the original model"
            .formatted(name, family.type));
  }

  private String key(String suffix) {
    return architecture + "." + suffix;
  }

  private OptionalLong optional(String suffix) throws InvalidModelException {
    List<Long> layers = file.list(key(suffix), Long.class).stream().distinct().toList();
    if (layers.size() > 1) {
      throw invalid(
          "has layers with different %s: %s; must be equal".formatted(key(suffix), layers));
    }
    return layers.isEmpty() ? file.integer(key(suffix)) : OptionalLong.of(layers.getFirst());
  }

  private long size(String suffix) throws InvalidModelException {
    return optional(suffix)
        .orElseThrow(() -> invalid("has no %s in its metadata".formatted(key(suffix))));
  }

  private InvalidModelException invalid(String rule) {
    return new InvalidModelException(file.path(), rule);
  }
}

package dev.nola.trainer.model;

import java.util.ArrayList;
import java.util.List;

/**
 * The settings that differ between members of the Llama family; other sizes follow from the
 * weights.
 *
 * @param layers number of blocks
 * @param attention settings of the attention
 * @param norm settings of the norms
 * @param activation function of the gate
 * @param extras what only some members have
 */
record LlamaConfig(
    int layers, Attention attention, Norm norm, Activation activation, Extras extras) {
  /** Values of {@code model_type}, Llama's first. */
  static final List<String> TYPES = List.of("llama", "mistral", "qwen2", "qwen3", "gemma2");

  /**
   * What {@code config.json} may say. {@code pretraining_tp} splits products without changing them,
   * and dropout is not used in training.
   */
  static final List<ConfigKey> KEYS =
      List.of(
          ConfigKey.count("num_hidden_layers"),
          ConfigKey.count("num_attention_heads"),
          ConfigKey.count("num_key_value_heads"),
          ConfigKey.count("head_dim"),
          ConfigKey.positive("rms_norm_eps"),
          ConfigKey.activation("hidden_act"),
          ConfigKey.activation("hidden_activation"),
          ConfigKey.positive("rope_theta"),
          ConfigKey.only("partial_rotary_factor", 1),
          ConfigKey.flag("attention_bias"),
          ConfigKey.flag("mlp_bias"),
          ConfigKey.flag("tie_word_embeddings"),
          ConfigKey.flag("use_sliding_window"),
          ConfigKey.only("use_bidirectional_attention", false),
          ConfigKey.count("pretraining_tp"),
          ConfigKey.positive("query_pre_attn_scalar"),
          ConfigKey.positive("attn_logit_softcapping"),
          ConfigKey.positive("final_logit_softcapping"),
          ConfigKey.QUANTIZATION);

  private static final String SLIDING = "sliding_attention";

  /**
   * The settings of the attention.
   *
   * @param heads number of query heads
   * @param keyHeads number of key and value heads, of which {@code heads} is a multiple
   * @param positions rotary positions
   * @param scale what queries are multiplied by; 0 for 1/√D
   * @param cap soft bound of the scores; 0 for none
   * @param windows number of tokens that a token of each block sees, itself included
   */
  record Attention(
      int heads,
      int keyHeads,
      RotaryPositions positions,
      double scale,
      double cap,
      List<Integer> windows) {
    /** Copies the list. */
    Attention {
      windows = List.copyOf(windows);
    }
  }

  /**
   * The settings of the norms.
   *
   * @param epsilon ε
   * @param addsOne whether a weight is stored less 1
   * @param isSandwich whether outputs of attention and feed-forward part are normalized, too
   */
  record Norm(double epsilon, boolean addsOne, boolean isSandwich) {}

  /**
   * What only some members of the family have.
   *
   * @param tied whether the output embedding is the input embedding
   * @param queryBias whether the products for queries, keys and values have biases
   * @param outputBias whether the attention's last product has a bias
   * @param mlpBias whether the feed-forward parts' products have biases
   * @param queryNorm whether queries and keys are normalized
   * @param outputs how embeddings are scaled and logits bounded
   */
  record Extras(
      boolean tied,
      boolean queryBias,
      boolean outputBias,
      boolean mlpBias,
      boolean queryNorm,
      Outputs outputs) {}

  /**
   * How embeddings and logits are scaled.
   *
   * @param embeddingScale what embeddings are multiplied by; 1 for none
   * @param logitCap soft bound of the logits; 0 for none
   */
  record Outputs(double embeddingScale, double logitCap) {}

  static LlamaConfig of(ModelConfig config) throws UnsupportedModelException {
    config.require(KEYS);
    config.require(RotaryPositions.KEYS);
    String type = config.text("model_type");
    boolean isGemma = type.equals("gemma2");
    int heads = config.count("num_attention_heads");
    int keyHeads = config.count("num_key_value_heads", heads);
    if (heads % keyHeads != 0) {
      throw config.invalid("num_key_value_heads", "a divisor of num_attention_heads, " + heads);
    }
    boolean attentionBias = config.flag("attention_bias");
    return new LlamaConfig(
        config.count("num_hidden_layers"),
        new Attention(
            heads,
            keyHeads,
            RotaryPositions.of(config),
            isGemma ? 1 / Math.sqrt(config.real("query_pre_attn_scalar", 256)) : 0,
            isGemma ? softBound(config, "attn_logit_softcapping", 50) : 0,
            windows(config, type)),
        new Norm(config.real("rms_norm_eps", 1e-6), isGemma, isGemma),
        activation(config, isGemma),
        new Extras(
            config.states("tie_word_embeddings") ? config.flag("tie_word_embeddings") : isGemma,
            attentionBias || type.equals("qwen2"),
            attentionBias,
            config.flag("mlp_bias"),
            type.equals("qwen3"),
            new Outputs(
                isGemma ? Math.sqrt(config.count("hidden_size")) : 1,
                isGemma ? softBound(config, "final_logit_softcapping", 30) : 0)));
  }

  /** Returns a bound that is absent from configs that have the default, and null for none. */
  private static double softBound(ModelConfig config, String path, double standard) {
    return config.isNull(path) ? 0 : config.real(path, standard);
  }

  /** Gemma 2 computes the tanh approximation, whatever {@code hidden_act} says. */
  private static Activation activation(ModelConfig config, boolean isGemma) {
    return isGemma
        ? config.activation("hidden_activation", Activation.GELU_TANH)
        : config.activation("hidden_act", Activation.SILU);
  }

  /** Returns the windows of all blocks. Texts that fit into a window are not affected by it. */
  private static List<Integer> windows(ModelConfig config, String type)
      throws UnsupportedModelException {
    int layers = config.count("num_hidden_layers");
    boolean slides =
        switch (type) {
          case "mistral", "gemma2" -> config.states("sliding_window");
          case "qwen2", "qwen3" -> config.flag("use_sliding_window");
          default -> false;
        };
    if (type.equals("llama") && config.states("sliding_window")) {
      throw config.invalid("sliding_window", "absent or null");
    }
    int window = slides ? config.count("sliding_window") : Integer.MAX_VALUE;
    List<String> types = config.texts("layer_types");
    if (!types.isEmpty() && types.size() != layers) {
      throw config.invalid("layer_types", "a list of one text a layer");
    }
    if (slides && types.isEmpty() && type.startsWith("qwen")) {
      throw config.invalid(
          "layer_types", "a list of one text a layer, as use_sliding_window is true");
    }
    List<Integer> windows = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      boolean isSliding =
          types.isEmpty() ? !type.equals("gemma2") || i % 2 == 0 : types.get(i).equals(SLIDING);
      windows.add(isSliding ? window : Integer.MAX_VALUE);
    }
    return windows;
  }
}

package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import dev.nola.client.peft.HeadClass;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The Llama family: RMSNorm, rotary positions, grouped-query attention, gated feed-forward parts;
 * as a language model, or with a classifier on the last token, as {@code
 * LlamaForSequenceClassification} of Transformers. Padding must come last in a sequence; its logits
 * are meaningless.
 */
public final class Llama implements Network {
  private static final String EMBEDDING = "model.embed_tokens.weight";
  private static final String OUTPUT = "lm_head";

  /** Prefix of the names in checkpoints with a head. */
  private static final String PREFIX = "model.";

  /** How names begin in checkpoints of the bare {@code LlamaModel}. */
  private static final List<String> BARE = List.of("embed_tokens.", "layers.", "norm.");

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
          ConfigKey.positive("rope_theta"),
          ConfigKey.positive("rope_parameters.rope_theta"),
          ConfigKey.only("rope_parameters.rope_type", "default"),
          ConfigKey.only("rope_parameters.partial_rotary_factor", 1),
          ConfigKey.only("rope_scaling.rope_type", "default"),
          ConfigKey.only("rope_scaling.type", "default"),
          ConfigKey.only("partial_rotary_factor", 1),
          ConfigKey.flag("attention_bias"),
          ConfigKey.flag("mlp_bias"),
          ConfigKey.flag("tie_word_embeddings"),
          ConfigKey.count("pretraining_tp"),
          ConfigKey.only("sliding_window"),
          ConfigKey.QUANTIZATION);

  private final Config config;
  private final @Nullable Head head;

  /**
   * The settings that differ between members of the family.
   *
   * @param layers number of blocks
   * @param attention settings of the attention
   * @param epsilon ε of the norms
   * @param activation function of the gate
   * @param extras tensors that only some members have
   */
  record Config(
      int layers, Attention attention, double epsilon, Activation activation, Extras extras) {}

  /**
   * The tensors that only some members of the family have.
   *
   * @param tied whether the output embedding is the input embedding
   * @param attentionBias whether the attention's products have biases
   * @param mlpBias whether the feed-forward parts' products have biases
   */
  record Extras(boolean tied, boolean attentionBias, boolean mlpBias) {}

  /**
   * The settings of the attention.
   *
   * @param heads number of query heads
   * @param keyHeads number of key and value heads, of which {@code heads} is a multiple
   * @param theta base of the rotary frequencies
   */
  record Attention(int heads, int keyHeads, double theta) {}

  /**
   * Creates a model; other sizes follow from the weights.
   *
   * @param config its settings
   * @param head the classifier instead of the output embedding; null for a language model
   */
  Llama(Config config, @Nullable Head head) {
    this.config = config;
    this.head = head;
  }

  private static Head head(int padToken) {
    HeadClass known = HeadClass.LLAMA;
    return new Head(known.pooling(), known.classifier(), false, null, padToken, known);
  }

  static Llama of(ModelConfig config, boolean isClassifier) throws UnsupportedModelException {
    config.require(KEYS);
    int heads = config.count("num_attention_heads");
    int keyHeads = config.count("num_key_value_heads", heads);
    if (heads % keyHeads != 0) {
      throw config.invalid("num_key_value_heads", "a divisor of num_attention_heads, " + heads);
    }
    // Older configs have rope_theta, newer ones rope_parameters.
    double theta = config.real("rope_parameters.rope_theta", config.real("rope_theta", 10_000));
    return new Llama(
        new Config(
            config.count("num_hidden_layers"),
            new Attention(heads, keyHeads, theta),
            config.real("rms_norm_eps", 1e-6),
            config.activation("hidden_act", Activation.SILU),
            new Extras(
                config.flag("tie_word_embeddings"),
                config.flag("attention_bias"),
                config.flag("mlp_bias"))),
        isClassifier ? head(config.count("pad_token_id", -1)) : null);
  }

  @Override
  public @Nullable Head head() {
    return head;
  }

  @Override
  public String nameOf(String stored) {
    boolean isBare = BARE.stream().anyMatch(stored::startsWith);
    return isBare ? PREFIX + stored : stored;
  }

  @Override
  public void requireComplete(Set<String> tensors) throws UnsupportedModelException {
    if (head == null && !config.extras.tied && !tensors.contains(OUTPUT + ".weight")) {
      throw new UnsupportedModelException(
          "missing tensor: lm_head.weight; a language model must have it, or state"
              + " tie_word_embeddings: use the checkpoint of LlamaForCausalLM instead of LlamaModel");
    }
  }

  @Override
  public boolean uses(String tensor) {
    if (tensor.endsWith(".bias")) {
      return tensor.contains(".self_attn.")
          ? config.extras.attentionBias
          : !tensor.contains(".mlp.") || config.extras.mlpBias;
    }
    return head == null || !tensor.startsWith(OUTPUT + ".");
  }

  @Override
  public NDArray logits(Batch batch, Weights weights) {
    NDArray x = Tensors.embedding(batch.inputs(), weights.tensor(EMBEDDING));
    int tokens = (int) batch.inputs().getShape().get(1);
    NDArray mask = Constants.causalMask(x.getManager(), tokens);
    for (int i = 0; i < config.layers; i++) {
      x = block("model.layers." + i + ".", x, mask, weights);
    }
    x = Blocks.rmsNorm(x, weights.tensor("model.norm.weight"), config.epsilon);
    if (head != null) {
      return weights.linear(Pool.of(x, head, batch), head.module());
    }
    return config.extras.tied && !weights.has(OUTPUT + ".weight")
        ? Tensors.linear(x, weights.tensor(EMBEDDING), null)
        : weights.linear(x, OUTPUT);
  }

  private NDArray block(String prefix, NDArray x, NDArray mask, Weights weights) {
    NDArray normed =
        Blocks.rmsNorm(x, weights.tensor(prefix + "input_layernorm.weight"), config.epsilon);
    String attention = prefix + "self_attn.";
    Attention settings = config.attention;
    NDArray q = Blocks.heads(weights.linear(normed, attention + "q_proj"), settings.heads);
    NDArray k = Blocks.heads(weights.linear(normed, attention + "k_proj"), settings.keyHeads);
    NDArray v = Blocks.heads(weights.linear(normed, attention + "v_proj"), settings.keyHeads);
    NDArray mixed =
        Blocks.attention(
            Blocks.rotate(q, settings.theta), Blocks.rotate(k, settings.theta), v, mask);
    NDArray attended = x.add(weights.linear(mixed, attention + "o_proj"));
    NDArray h =
        Blocks.rmsNorm(
            attended, weights.tensor(prefix + "post_attention_layernorm.weight"), config.epsilon);
    NDArray gated =
        config
            .activation
            .apply(weights.linear(h, prefix + "mlp.gate_proj"))
            .mul(weights.linear(h, prefix + "mlp.up_proj"));
    return attended.add(weights.linear(gated, prefix + "mlp.down_proj"));
  }

  @Override
  public List<String> adaptable() {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < config.layers; i++) {
      for (String module :
          List.of(
              "self_attn.q_proj",
              "self_attn.k_proj",
              "self_attn.v_proj",
              "self_attn.o_proj",
              "mlp.gate_proj",
              "mlp.up_proj",
              "mlp.down_proj")) {
        names.add("model.layers." + i + "." + module + ".weight");
      }
    }
    return names;
  }
}

package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import dev.nola.client.peft.HeadClass;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The Llama family, with Mistral, Qwen 2 and 3, and Gemma 2: RMSNorm, rotary positions,
 * grouped-query attention, gated feed-forward parts; as a language model, or with a classifier on
 * the last token, as {@code LlamaForSequenceClassification} of Transformers. Padding must come last
 * in a sequence; its logits are meaningless.
 */
public final class Llama implements Transformer {
  private static final String EMBEDDING = "model.embed_tokens";
  private static final String OUTPUT = "lm_head";

  /** Prefix of the names in checkpoints with a head. */
  private static final String PREFIX = "model.";

  /** How names begin in checkpoints of the bare {@code LlamaModel}. */
  private static final List<String> BARE = List.of("embed_tokens.", "layers.", "norm.");

  private final LlamaConfig config;
  private final @Nullable Head head;

  /**
   * Creates a model; other sizes follow from the weights.
   *
   * @param config its settings
   * @param head the classifier instead of the output embedding; null for a language model
   */
  Llama(LlamaConfig config, @Nullable Head head) {
    this.config = config;
    this.head = head;
  }

  static Llama of(ModelConfig config, boolean isClassifier) throws UnsupportedModelException {
    return new Llama(LlamaConfig.of(config), isClassifier ? head(config) : null);
  }

  private static Head head(ModelConfig config) throws UnsupportedModelException {
    HeadClass known =
        HeadClass.ofModelType(config.text("model_type"))
            .orElseThrow(() -> config.invalid("model_type", "one with a known classifier"));
    return new Head(
        known.pooling(), known.classifier(), false, null, config.count("pad_token_id", -1), known);
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
    if (head == null && !config.extras().tied() && !tensors.contains(OUTPUT + ".weight")) {
      throw new UnsupportedModelException(
          "missing tensor: lm_head.weight; a language model must have it, or state"
              + " tie_word_embeddings: use the checkpoint of LlamaForCausalLM instead of LlamaModel");
    }
  }

  @Override
  public boolean uses(String tensor) {
    if (tensor.endsWith(".bias")) {
      return tensor.contains(".self_attn.")
          ? tensor.endsWith(".o_proj.bias")
              ? config.extras().outputBias()
              : config.extras().queryBias()
          : !tensor.contains(".mlp.") || config.extras().mlpBias();
    }
    return head == null || !tensor.startsWith(OUTPUT + ".");
  }

  @Override
  public int blocks() {
    return config.layers();
  }

  @Override
  public NDArray embed(Input input, Weights weights) {
    Batch batch = input.texts();
    NDArray x = weights.embedding(batch.inputs(), EMBEDDING + ".weight");
    double scale = config.extras().outputs().embeddingScale();
    return scale == 1 ? x : x.mul(Constants.number(scale));
  }

  @Override
  public NDArray output(NDArray x, Input input, Weights weights) {
    if (head != null) {
      return weights.linear(pooled(x, input, weights), head.module());
    }
    NDArray normed = norm(input.texts().select(x), "model.norm", weights);
    NDArray logits =
        config.extras().tied() && !weights.has(OUTPUT + ".weight")
            ? weights.linear(normed, EMBEDDING)
            : weights.linear(normed, OUTPUT);
    return Blocks.capped(logits, config.extras().outputs().logitCap());
  }

  @Override
  public NDArray pooled(NDArray x, Input input, Weights weights) {
    return head == null
        ? Transformer.super.pooled(x, input, weights)
        : Pool.of(norm(x, "model.norm", weights), head, input.texts());
  }

  private NDArray norm(NDArray x, String module, Weights weights) {
    NDArray normed = Blocks.rmsNorm(x, config.norm().epsilon());
    NDArray scaled = normed.mul(weights.tensor(module + ".weight"));
    return config.norm().addsOne() ? scaled.add(normed) : scaled;
  }

  @Override
  public NDArray block(int index, NDArray x, Input input, Weights weights) {
    Batch batch = input.texts();
    String prefix = "model.layers." + index + ".";
    boolean isSandwich = config.norm().isSandwich();
    NDArray mixed = attention(index, norm(x, prefix + "input_layernorm", weights), batch, weights);
    String afterAttention = prefix + "post_attention_layernorm";
    NDArray attended = x.add(isSandwich ? norm(mixed, afterAttention, weights) : mixed);
    NDArray h =
        norm(attended, isSandwich ? prefix + "pre_feedforward_layernorm" : afterAttention, weights);
    NDArray gated =
        config
            .activation()
            .apply(weights.linear(h, prefix + "mlp.gate_proj"))
            .mul(weights.linear(h, prefix + "mlp.up_proj"));
    NDArray fed = weights.linear(gated, prefix + "mlp.down_proj");
    return attended.add(
        isSandwich ? norm(fed, prefix + "post_feedforward_layernorm", weights) : fed);
  }

  private NDArray attention(int index, NDArray x, Batch batch, Weights weights) {
    String module = "model.layers." + index + ".self_attn.";
    LlamaConfig.Attention settings = config.attention();
    NDArray q = Blocks.heads(weights.linear(x, module + "q_proj"), settings.heads());
    NDArray k = Blocks.heads(weights.linear(x, module + "k_proj"), settings.keyHeads());
    NDArray v = Blocks.heads(weights.linear(x, module + "v_proj"), settings.keyHeads());
    if (config.extras().queryNorm()) {
      q = norm(q, module + "q_norm", weights);
      k = norm(k, module + "k_norm", weights);
    }
    int tokens = (int) x.getShape().get(1);
    double scale = settings.scale() == 0 ? 1 / Math.sqrt(q.getShape().get(3)) : settings.scale();
    KeyValueCache.Entry all =
        batch.remember(index, Blocks.rotate(k, settings.positions(), batch.past()), v);
    NDArray mixed =
        Blocks.attention(
            Blocks.rotate(q, settings.positions(), batch.past()),
            all.keys(),
            all.values(),
            Constants.causalMask(
                x.getManager(), batch.past(), tokens, settings.windows().get(index)),
            new Blocks.Scores(scale, settings.cap()));
    return weights.linear(mixed, module + "o_proj");
  }

  @Override
  public List<Adaptable> adaptable() {
    List<Adaptable> all = new ArrayList<>();
    for (int i = 0; i < config.layers(); i++) {
      for (String module :
          List.of(
              "self_attn.q_proj",
              "self_attn.k_proj",
              "self_attn.v_proj",
              "self_attn.o_proj",
              "mlp.gate_proj",
              "mlp.up_proj",
              "mlp.down_proj")) {
        all.add(Adaptable.whole("model.layers." + i + "." + module + ".weight"));
      }
    }
    return all;
  }
}

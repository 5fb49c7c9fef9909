package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.List;

/**
 * The Llama family: RMSNorm, rotary positions, grouped-query attention, SwiGLU. Padding must come
 * last in a sequence; its logits are meaningless.
 */
public final class Llama implements Network {
  private static final String EMBEDDING = "model.embed_tokens.weight";
  private static final String OUTPUT = "lm_head";

  private final Config config;

  /**
   * The settings that differ between members of the family.
   *
   * @param layers number of blocks
   * @param heads number of query heads
   * @param keyHeads number of key and value heads, of which {@code heads} is a multiple
   * @param epsilon ε of the norms
   * @param theta base of the rotary frequencies
   * @param tied whether the output embedding is the input embedding
   */
  public record Config(
      int layers, int heads, int keyHeads, double epsilon, double theta, boolean tied) {}

  /**
   * Creates a model; other sizes follow from the weights.
   *
   * @param config its settings
   */
  public Llama(Config config) {
    this.config = config;
  }

  @Override
  public NDArray logits(Batch batch, Weights weights) {
    NDArray x = Tensors.embedding(batch.inputs(), weights.tensor(EMBEDDING));
    int tokens = (int) batch.inputs().getShape().get(1);
    NDArray mask = Blocks.causalMask(x.getManager(), tokens);
    for (int i = 0; i < config.layers; i++) {
      x = block("model.layers." + i + ".", x, mask, weights);
    }
    x = Blocks.rmsNorm(x, weights.tensor("model.norm.weight"), config.epsilon);
    return config.tied && !weights.has(OUTPUT + ".weight")
        ? Tensors.linear(x, weights.tensor(EMBEDDING), null)
        : weights.linear(x, OUTPUT);
  }

  private NDArray block(String prefix, NDArray x, NDArray mask, Weights weights) {
    NDArray normed =
        Blocks.rmsNorm(x, weights.tensor(prefix + "input_layernorm.weight"), config.epsilon);
    String attention = prefix + "self_attn.";
    NDArray q = Blocks.heads(weights.linear(normed, attention + "q_proj"), config.heads);
    NDArray k = Blocks.heads(weights.linear(normed, attention + "k_proj"), config.keyHeads);
    NDArray v = Blocks.heads(weights.linear(normed, attention + "v_proj"), config.keyHeads);
    NDArray mixed =
        Blocks.attention(Blocks.rotate(q, config.theta), Blocks.rotate(k, config.theta), v, mask);
    NDArray attended = x.add(weights.linear(mixed, attention + "o_proj"));
    NDArray h =
        Blocks.rmsNorm(
            attended, weights.tensor(prefix + "post_attention_layernorm.weight"), config.epsilon);
    NDArray gated =
        Tensors.silu(weights.linear(h, prefix + "mlp.gate_proj"))
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

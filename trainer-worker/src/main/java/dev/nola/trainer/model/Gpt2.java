package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import dev.nola.format.Slice;
import java.util.ArrayList;
import java.util.List;

/**
 * GPT-2: LayerNorm, learned positions, one product for queries, keys and values, whose matrices are
 * adapted as slices; the output embedding is the input embedding. Padding must come last in a
 * sequence; its logits are meaningless.
 */
final class Gpt2 implements Transformer {
  /**
   * Prefix of the names in files of {@code GPT2LMHeadModel}; those of {@code GPT2Model} lack it.
   */
  private static final String PREFIX = "transformer.";

  /**
   * What {@code config.json} may say. {@code reorder_and_upcast_attn} concerns other types than f32
   * alone, and dropout is not used in training.
   */
  static final List<ConfigKey> KEYS =
      List.of(
          ConfigKey.count("n_layer"),
          ConfigKey.count("n_head"),
          ConfigKey.count("n_embd"),
          ConfigKey.positive("layer_norm_epsilon"),
          ConfigKey.activation("activation_function"),
          ConfigKey.only("scale_attn_weights", true),
          ConfigKey.only("scale_attn_by_inverse_layer_idx", false),
          ConfigKey.only("add_cross_attention", false),
          ConfigKey.only("tie_word_embeddings", true),
          ConfigKey.QUANTIZATION);

  private static final String EMBEDDING = "wte";
  private static final String OUTPUT = "lm_head.";

  /** Parts of the product for queries, keys and values, in their order. */
  private static final List<String> PARTS = List.of("q_proj", "k_proj", "v_proj");

  private final Config config;

  /**
   * The settings that differ between models.
   *
   * @param layers number of blocks
   * @param heads number of attention heads
   * @param width size of a hidden state
   * @param epsilon ε of the norms
   * @param activation function between the layers of a feed-forward part
   */
  record Config(int layers, int heads, int width, double epsilon, Activation activation) {}

  Gpt2(Config config) {
    this.config = config;
  }

  static Gpt2 of(ModelConfig config) throws UnsupportedModelException {
    config.require(KEYS);
    return new Gpt2(
        new Config(
            config.count("n_layer"),
            config.count("n_head"),
            config.count("n_embd"),
            config.real("layer_norm_epsilon", 1e-5),
            config.activation("activation_function", Activation.GELU_TANH)));
  }

  @Override
  public String nameOf(String stored) {
    return stored.startsWith(PREFIX) ? stored.substring(PREFIX.length()) : stored;
  }

  /** Leaves out the output embedding, which is the input embedding, and the causal masks. */
  @Override
  public boolean uses(String tensor) {
    return !tensor.startsWith(OUTPUT)
        && !tensor.endsWith(".attn.bias")
        && !tensor.endsWith(".attn.masked_bias");
  }

  @Override
  public int blocks() {
    return config.layers;
  }

  @Override
  public NDArray embed(Input input, Weights weights) {
    Batch batch = input.texts();
    int tokens = (int) batch.inputs().getShape().get(1);
    int past = batch.past();
    NDArray positions = batch.inputs().getManager().arange(past, past + tokens, 1, DataType.INT64);
    return weights
        .embedding(batch.inputs(), EMBEDDING + ".weight")
        .add(weights.embedding(positions, "wpe.weight"));
  }

  @Override
  public NDArray output(NDArray x, Input input, Weights weights) {
    Batch batch = input.texts();
    return weights.linear(norm(batch.select(x), "ln_f", weights), EMBEDDING);
  }

  @Override
  public NDArray block(int index, NDArray x, Input input, Weights weights) {
    Batch batch = input.texts();
    String prefix = "h." + index + ".";
    int tokens = (int) x.getShape().get(1);
    NDArray mask = Constants.causalMask(x.getManager(), batch.past(), tokens, Integer.MAX_VALUE);
    NDArray all = weights.conv1d(norm(x, prefix + "ln_1", weights), prefix + "attn.c_attn");
    KeyValueCache.Entry seen = batch.remember(index, part(all, 1), part(all, 2));
    NDArray mixed = Blocks.attention(part(all, 0), seen.keys(), seen.values(), mask);
    NDArray attended = x.add(weights.conv1d(mixed, prefix + "attn.c_proj"));
    NDArray wide =
        config.activation.apply(
            weights.conv1d(norm(attended, prefix + "ln_2", weights), prefix + "mlp.c_fc"));
    return attended.add(weights.conv1d(wide, prefix + "mlp.c_proj"));
  }

  /** Returns queries, keys or values, B×H×T×D. */
  private NDArray part(NDArray all, int index) {
    int start = index * config.width;
    NDArray part = all.get("..., %d:%d".formatted(start, start + config.width));
    return Blocks.heads(part, config.heads);
  }

  private NDArray norm(NDArray x, String module, Weights weights) {
    return Blocks.layerNorm(x, module, config.epsilon, weights);
  }

  @Override
  public List<Adaptable> adaptable() {
    List<Adaptable> all = new ArrayList<>();
    for (int i = 0; i < config.layers; i++) {
      String block = "h." + i + ".";
      String fused = block + "attn.c_attn.weight";
      for (int part = 0; part < PARTS.size(); part++) {
        all.add(
            new Adaptable(
                block + "attn." + PARTS.get(part) + ".weight",
                fused,
                new Slice(1, part * config.width, config.width),
                true));
      }
      for (String module : List.of("attn.c_proj", "mlp.c_fc", "mlp.c_proj")) {
        String name = block + module + ".weight";
        all.add(new Adaptable(name, name, null, true));
      }
    }
    return all;
  }
}

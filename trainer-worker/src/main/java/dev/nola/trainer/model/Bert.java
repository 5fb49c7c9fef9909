package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import dev.nola.client.peft.HeadClass;
import dev.nola.client.peft.Pooling;
import java.util.ArrayList;
import java.util.List;

/**
 * BERT as an encoder of sentences, such as MiniLM, and a linear classifier on the first token, as
 * {@code BertForSequenceClassification} of Transformers, or on the mean over all tokens.
 */
public final class Bert implements Network {
  /** Prefix of the names in checkpoints with a head. */
  private static final String PREFIX = "bert.";

  private static final String CLASSIFIER = HeadClass.BERT.classifier();
  private static final String POOLER = "pooler.dense";

  /** What {@code config.json} may say; dropout is not used in training. */
  static final List<ConfigKey> KEYS =
      List.of(
          ConfigKey.count("num_hidden_layers"),
          ConfigKey.count("num_attention_heads"),
          ConfigKey.positive("layer_norm_eps"),
          ConfigKey.activation("hidden_act"),
          ConfigKey.only("position_embedding_type", "absolute"),
          ConfigKey.only("is_decoder", false),
          ConfigKey.only("add_cross_attention", false),
          ConfigKey.QUANTIZATION);

  private final Config config;
  private final Head head;

  /**
   * The settings that differ between members of the family.
   *
   * @param layers number of blocks
   * @param heads number of attention heads
   * @param epsilon ε of the norms
   * @param activation function between the layers of a feed-forward part
   */
  record Config(int layers, int heads, double epsilon, Activation activation) {}

  /**
   * Creates a model; other sizes follow from the weights.
   *
   * @param config its settings
   * @param pooling what its classifier sees: the first token or the mean
   */
  Bert(Config config, Pooling pooling) {
    this.config = config;
    this.head =
        pooling == Pooling.CLS
            ? new Head(pooling, CLASSIFIER, true, POOLER, -1, HeadClass.BERT)
            : new Head(pooling, CLASSIFIER, true, null, -1, null);
  }

  static Bert of(ModelConfig config, Pooling pooling) throws UnsupportedModelException {
    config.require(KEYS);
    return new Bert(
        new Config(
            config.count("num_hidden_layers"),
            config.count("num_attention_heads"),
            config.real("layer_norm_eps", 1e-12),
            config.activation("hidden_act", Activation.GELU)),
        pooling);
  }

  @Override
  public NDArray logits(Batch batch, Weights weights) {
    return weights.linear(features(batch, weights), CLASSIFIER);
  }

  @Override
  public NDArray features(Batch batch, Weights weights) {
    NDArray seen = Pool.of(hidden(batch, weights), head, batch);
    return head.pooler() == null ? seen : weights.linear(seen, head.pooler()).tanh();
  }

  @Override
  public Head head() {
    return head;
  }

  @Override
  public String nameOf(String stored) {
    return stored.startsWith(PREFIX) ? stored.substring(PREFIX.length()) : stored;
  }

  @Override
  public boolean uses(String tensor) {
    return head.pooler() != null || !tensor.startsWith(POOLER + ".");
  }

  /** Computes hidden states, B×T×d. */
  NDArray hidden(Batch batch, Weights weights) {
    NDManager manager = batch.inputs().getManager();
    long tokens = batch.inputs().getShape().get(1);
    NDArray positions = manager.arange(0, tokens, 1, DataType.INT64);
    NDArray x =
        Tensors.embedding(batch.inputs(), weights.tensor("embeddings.word_embeddings.weight"))
            .add(
                Tensors.embedding(
                    positions, weights.tensor("embeddings.position_embeddings.weight")))
            .add(
                Tensors.embedding(
                    batch.inputs().zerosLike(),
                    weights.tensor("embeddings.token_type_embeddings.weight")));
    x = norm(x, "embeddings.LayerNorm", weights);
    NDArray mask = Blocks.paddingMask(batch.mask());
    for (int i = 0; i < config.layers; i++) {
      x = block("encoder.layer." + i + ".", x, mask, weights);
    }
    return x;
  }

  private NDArray block(String prefix, NDArray x, NDArray mask, Weights weights) {
    String self = prefix + "attention.self.";
    NDArray mixed =
        Blocks.attention(
            Blocks.heads(weights.linear(x, self + "query"), config.heads),
            Blocks.heads(weights.linear(x, self + "key"), config.heads),
            Blocks.heads(weights.linear(x, self + "value"), config.heads),
            mask);
    NDArray attended =
        norm(
            x.add(weights.linear(mixed, prefix + "attention.output.dense")),
            prefix + "attention.output.LayerNorm",
            weights);
    NDArray wide = config.activation.apply(weights.linear(attended, prefix + "intermediate.dense"));
    return norm(
        attended.add(weights.linear(wide, prefix + "output.dense")),
        prefix + "output.LayerNorm",
        weights);
  }

  private NDArray norm(NDArray x, String module, Weights weights) {
    return Tensors.layerNorm(
        x, weights.tensor(module + ".weight"), weights.tensor(module + ".bias"), config.epsilon);
  }

  @Override
  public List<Adaptable> adaptable() {
    List<Adaptable> all = new ArrayList<>();
    for (int i = 0; i < config.layers; i++) {
      for (String module :
          List.of(
              "attention.self.query",
              "attention.self.key",
              "attention.self.value",
              "attention.output.dense",
              "intermediate.dense",
              "output.dense")) {
        all.add(Adaptable.whole("encoder.layer." + i + "." + module + ".weight"));
      }
    }
    return all;
  }
}

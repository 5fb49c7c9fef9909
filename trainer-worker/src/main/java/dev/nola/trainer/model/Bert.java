package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import dev.nola.client.peft.HeadClass;
import dev.nola.client.peft.Pooling;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * BERT, MiniLM and RoBERTa as encoders of texts, and a linear classifier on the first token, as in
 * {@code BertForSequenceClassification} or {@code RobertaForSequenceClassification} of
 * Transformers, or on the mean over all tokens.
 */
public final class Bert implements Transformer {
  /** The model types whose positions begin after that of padding, each with its head's class. */
  private static final Map<String, HeadClass> ROBERTA_TYPES =
      Map.of(
          HeadClass.ROBERTA.modelType(), HeadClass.ROBERTA,
          HeadClass.XLM_ROBERTA.modelType(), HeadClass.XLM_ROBERTA);

  /** Id of padding in a RoBERTa whose config does not state it. */
  private static final int ROBERTA_PADDING = 1;

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
  private final HeadClass headClass;
  private final Head head;

  /**
   * The settings that differ between members of the family.
   *
   * @param layers number of blocks
   * @param heads number of attention heads
   * @param epsilon ε of the norms
   * @param activation function between the layers of a feed-forward part
   * @param padToken id of padding, which a RoBERTa numbers positions from; −1 for BERT, whose first
   *     position is 0
   */
  record Config(int layers, int heads, double epsilon, Activation activation, int padToken) {}

  /**
   * Creates a model; other sizes follow from the weights.
   *
   * @param config its settings
   * @param headClass class of Transformers, of which it has the names
   * @param pooling what its classifier sees: the first token or the mean
   */
  Bert(Config config, HeadClass headClass, Pooling pooling) {
    this.config = config;
    this.headClass = headClass;
    this.head =
        pooling == Pooling.CLS
            ? new Head(pooling, headClass.classifier(), true, headClass.pooler(), -1, headClass)
            : new Head(pooling, headClass.classifier(), true, null, -1, null);
  }

  /** Returns whether a model is one of these. */
  static boolean isType(String modelType) {
    return modelType.equals(HeadClass.BERT.modelType()) || ROBERTA_TYPES.containsKey(modelType);
  }

  static Bert of(ModelConfig config, Pooling pooling) throws UnsupportedModelException {
    config.require(KEYS);
    HeadClass roberta = ROBERTA_TYPES.get(config.text("model_type"));
    return new Bert(
        new Config(
            config.count("num_hidden_layers"),
            config.count("num_attention_heads"),
            config.real("layer_norm_eps", 1e-12),
            config.activation("hidden_act", Activation.GELU),
            roberta == null ? -1 : config.count("pad_token_id", ROBERTA_PADDING)),
        roberta == null ? HeadClass.BERT : roberta,
        pooling);
  }

  /**
   * Returns the number of positions that no text of a model uses.
   *
   * @param config its {@code config.json}
   * @return 0, but for RoBERTa, whose first position is the one after that of padding
   */
  public static int unusedPositions(JsonNode config) {
    return ROBERTA_TYPES.containsKey(config.path("model_type").asString(""))
        ? config.path("pad_token_id").asInt(ROBERTA_PADDING) + 1
        : 0;
  }

  @Override
  public int blocks() {
    return config.layers;
  }

  @Override
  public NDArray output(NDArray x, Input input, Weights weights) {
    return weights.linear(pooled(x, input, weights), head.module());
  }

  @Override
  public NDArray pooled(NDArray x, Input input, Weights weights) {
    NDArray seen = Pool.of(x, head, input.texts());
    return head.pooler() == null ? seen : weights.linear(seen, head.pooler()).tanh();
  }

  @Override
  public Head head() {
    return head;
  }

  @Override
  public String nameOf(String stored) {
    String prefix = headClass.prefix();
    String name = stored.startsWith(prefix) ? stored.substring(prefix.length()) : stored;
    // The first checkpoints of BERT name the weights of norms as TensorFlow did.
    return name.replace("LayerNorm.gamma", "LayerNorm.weight")
        .replace("LayerNorm.beta", "LayerNorm.bias");
  }

  @Override
  public boolean uses(String tensor) {
    if (headClass == HeadClass.BERT) {
      return head.pooler() != null || !tensor.startsWith(headClass.pooler() + ".");
    }
    return Stream.of("embeddings", "encoder", head.module(), head.pooler())
        .anyMatch(module -> module != null && tensor.startsWith(module + "."));
  }

  @Override
  public NDArray embed(Input input, Weights weights) {
    Batch batch = input.texts();
    NDArray x =
        weights
            .embedding(batch.inputs(), "embeddings.word_embeddings.weight")
            .add(weights.embedding(positions(batch), "embeddings.position_embeddings.weight"))
            .add(
                weights.embedding(
                    batch.inputs().zerosLike(), "embeddings.token_type_embeddings.weight"));
    return norm(x, "embeddings.LayerNorm", weights);
  }

  /**
   * Returns the positions of tokens: T, numbered from 0, for BERT; for RoBERTa B×T, counted from
   * the one after {@code padToken}, which tokens of that id have.
   */
  private NDArray positions(Batch batch) {
    NDManager manager = batch.inputs().getManager();
    int tokens = (int) batch.inputs().getShape().get(1);
    if (config.padToken < 0) {
      return manager.arange(0, tokens, 1, DataType.INT64);
    }
    long[] inputs = batch.inputs().toLongArray();
    float[] isToken = batch.mask().toFloatArray();
    long[] positions = new long[inputs.length];
    long last = config.padToken;
    for (int i = 0; i < inputs.length; i++) {
      last = i % tokens == 0 ? config.padToken : last;
      boolean counts = isToken[i] == 1 && inputs[i] != config.padToken;
      positions[i] = counts ? ++last : config.padToken;
    }
    return Tensors.create(manager, positions, inputs.length / tokens, tokens);
  }

  @Override
  public NDArray block(int index, NDArray x, Input input, Weights weights) {
    Batch batch = input.texts();
    String prefix = "encoder.layer." + index + ".";
    NDArray mask = Blocks.paddingMask(batch.mask());
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
    return Blocks.layerNorm(x, module, config.epsilon, weights);
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

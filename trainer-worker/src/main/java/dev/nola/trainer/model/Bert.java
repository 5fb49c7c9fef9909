package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * BERT as an encoder of sentences, such as MiniLM: the mean of the last hidden states of all
 * tokens, and a linear classifier on it with the tensors {@code classifier.weight} and {@code
 * classifier.bias}.
 */
public final class Bert implements Network {
  /** Module of the classifier, which the base model does not have. */
  public static final String CLASSIFIER = "classifier";

  private final Config config;

  /**
   * The settings that differ between members of the family.
   *
   * @param layers number of blocks
   * @param heads number of attention heads
   * @param epsilon ε of the norms
   */
  public record Config(int layers, int heads, double epsilon) {}

  /**
   * Creates a model; other sizes follow from the weights.
   *
   * @param config its settings
   */
  public Bert(Config config) {
    this.config = config;
  }

  @Override
  public NDArray logits(Batch batch, Weights weights) {
    return weights.linear(pooled(batch, weights), CLASSIFIER);
  }

  /**
   * Computes sentence vectors: the mean over tokens that are not padding.
   *
   * @param batch texts
   * @param weights weights of the model
   * @return vectors, B×d
   */
  public NDArray pooled(Batch batch, Weights weights) {
    NDArray hidden = hidden(batch, weights);
    Shape shape = batch.mask().getShape();
    NDArray mask = batch.mask().reshape(shape.get(0), shape.get(1), 1);
    return hidden.mul(mask).sum(new int[] {1}).div(mask.sum(new int[] {1}));
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
    NDArray wide = Tensors.gelu(weights.linear(attended, prefix + "intermediate.dense"));
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
  public List<String> adaptable() {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < config.layers; i++) {
      for (String module :
          List.of(
              "attention.self.query",
              "attention.self.key",
              "attention.self.value",
              "attention.output.dense",
              "intermediate.dense",
              "output.dense")) {
        names.add("encoder.layer." + i + "." + module + ".weight");
      }
    }
    return names;
  }
}

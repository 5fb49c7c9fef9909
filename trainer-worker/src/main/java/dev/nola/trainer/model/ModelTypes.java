package dev.nola.trainer.model;

import dev.nola.client.peft.Pooling;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Chooses the network of a model by its config. */
final class ModelTypes {
  private static final String MODEL_TYPES =
      String.join(", ", LlamaConfig.TYPES) + ", gpt2, bert, roberta, xlm-roberta, vit or vit_mae";

  /** Stands for the {@code model_type} of timm's models, whose configs name an architecture. */
  private static final String TIMM = "timm";

  private ModelTypes() {}

  /**
   * Returns the network of a model.
   *
   * @param config its {@code config.json}
   * @param isClassifier whether it has a classifier
   * @param pooling what the classifier sees; null for what it sees in the class of Transformers
   * @throws UnsupportedModelException if the model, or what is asked of it, cannot be run here
   */
  static Network network(ModelConfig config, boolean isClassifier, @Nullable Pooling pooling)
      throws UnsupportedModelException {
    String type = type(config);
    List<Pooling> poolings = poolings(config);
    if (isClassifier && poolings.isEmpty()) {
      throw new UnsupportedModelException(
          "unsupported task classification for model_type %s; must be causal-lm".formatted(type));
    }
    if (pooling != null && !poolings.contains(pooling)) {
      throw new UnsupportedModelException(
          "unsupported model.pooling: %s; must be %s for model_type %s"
              .formatted(
                  pooling.label(),
                  String.join(" or ", poolings.stream().map(Pooling::label).toList()),
                  type));
    }
    return switch (type) {
      case TIMM -> Vit.ofTimm(config);
      case "vit", "vit_mae" -> Vit.of(config, pooling == null ? poolings.getFirst() : pooling);
      case String other when Bert.isType(other) ->
          Bert.of(config, pooling == null ? poolings.getFirst() : pooling);
      case "gpt2" -> Gpt2.of(config);
      case String other when LlamaConfig.TYPES.contains(other) -> Llama.of(config, isClassifier);
      default -> throw new AssertionError(type); // refused above
    };
  }

  /**
   * Returns what a classifier of a model may see.
   *
   * @param config the model's {@code config.json}
   * @return the usual one first; empty if the model can have no classifier
   * @throws UnsupportedModelException if the model cannot be run here
   */
  static List<Pooling> poolings(ModelConfig config) throws UnsupportedModelException {
    return switch (type(config)) {
      case TIMM -> List.of(Vit.poolingOfTimm(config));
      case "vit", "vit_mae" -> List.of(Pooling.CLS, Pooling.MEAN);
      case String other when Bert.isType(other) -> List.of(Pooling.CLS, Pooling.MEAN);
      case "gpt2" -> List.of();
      case String other when LlamaConfig.TYPES.contains(other) -> List.of(Pooling.LAST_TOKEN);
      default -> throw config.invalid("model_type", MODEL_TYPES);
    };
  }

  private static String type(ModelConfig config) {
    return Vit.isTimm(config) ? TIMM : config.text("model_type");
  }
}

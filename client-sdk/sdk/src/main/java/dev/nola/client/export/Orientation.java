package dev.nola.client.export;

import dev.nola.client.export.ExportRefusedException.Reason;
import dev.nola.client.peft.BaseConfig;
import dev.nola.client.peft.ModulePaths;
import dev.nola.format.Layer;
import java.util.List;
import java.util.function.Predicate;

/** How the adapted weights of two dimensions are stored. */
public enum Orientation {
  /**
   * By model type, when the base model says one; else by name and shape. Weights of modules named
   * {@code c_attn}, {@code q_attn}, {@code c_proj} and {@code c_fc} are in×out in GPT-2 and similar
   * models and out×in elsewhere: without a model type, their shapes tell where in and out are as in
   * GPT-2, three times as many outputs of {@code c_attn}, four times as many of {@code c_fc}, a
   * quarter of {@code c_proj}. All other weights are out×in.
   */
  AUTO,
  /** All out×in, as {@code torch.nn.Linear} has them. */
  LINEAR,
  /** All in×out, as the {@code Conv1D} of transformers has them. */
  CONV1D;

  /**
   * Decides for all layers of an adapter.
   *
   * @param config what the base model's config says
   * @throws ExportRefusedException if it cannot be told
   */
  Predicate<Layer> decide(List<Layer> layers, BaseConfig config) throws ExportRefusedException {
    return switch (this) {
      case LINEAR -> layer -> false;
      case CONV1D -> layer -> true;
      case AUTO -> {
        boolean isUnknown =
            layers.stream()
                .anyMatch(layer -> mayBeConv1d(layer) && config.hasConv1d(module(layer)).isEmpty());
        boolean byShape = isUnknown && byShape(layers);
        yield layer -> mayBeConv1d(layer) && config.hasConv1d(module(layer)).orElse(byShape);
      }
    };
  }

  private static boolean byShape(List<Layer> layers) throws ExportRefusedException {
    boolean isConv1d = false;
    boolean isLinear = false;
    for (Layer layer : layers) {
      long rows = layer.shape().getFirst();
      long cols = layer.shape().getLast();
      switch (ModulePaths.lastPart(ModulePaths.moduleOf(layer.tensor()))) {
        case "c_attn" -> {
          isConv1d |= cols == 3 * rows;
          isLinear |= rows == 3 * cols;
        }
        case "c_fc" -> {
          isConv1d |= cols == 4 * rows;
          isLinear |= rows == 4 * cols;
        }
        case "c_proj" -> {
          isConv1d |= rows == 4 * cols;
          isLinear |= cols == 4 * rows;
        }
        default -> {} // tells nothing
      }
    }
    if (isConv1d == isLinear) {
      throw new ExportRefusedException(
          Reason.ORIENTATION,
          "cannot tell the orientation of weights named c_attn, c_proj and so on: they are in×out in GPT-2 and out×in in other models; the base model's folder, or the orientation, must be named");
    }
    return isConv1d;
  }

  private static boolean mayBeConv1d(Layer layer) {
    return ModulePaths.mayBeConv1d(module(layer));
  }

  private static String module(Layer layer) {
    return ModulePaths.moduleOf(layer.tensor());
  }
}

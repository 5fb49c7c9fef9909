package dev.nola.client.lora;

import dev.nola.client.lora.ImportRefusedException.Reason;
import dev.nola.client.merge.TensorNames;
import dev.nola.client.peft.ModulePaths;
import dev.nola.client.safetensors.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** Finds the tensor of each pair of factors: in the base model, or from the module's path. */
final class Targets {
  private static final String WEIGHT = ".weight";

  /** Where torch's MultiheadAttention keeps the weights of query, key and value. */
  private static final String IN_PROJECTION = ".in_proj_weight";

  private final LoraConfig config;
  private final @Nullable NamedBase base;
  private final Map<String, Tensor> embedded;
  private final List<String> wrong = new ArrayList<>();
  private final SequencedMap<LoraPair, Target> found = new LinkedHashMap<>();
  private boolean hasConv1dName;
  private boolean hasOtherName;

  /**
   * @param base null if it is not known
   * @param embedded weights of adapted modules that the file itself has, by module
   */
  Targets(LoraConfig config, @Nullable NamedBase base, Map<String, Tensor> embedded) {
    this.config = config;
    this.base = base;
    this.embedded = embedded;
  }

  /**
   * Finds all targets.
   *
   * @throws ImportRefusedException naming each pair whose tensor is missing, does not fit, or
   *     cannot be told without the base model
   */
  SequencedMap<LoraPair, Target> find(LoraTensors tensors) throws ImportRefusedException {
    for (LoraPair pair : tensors.pairs()) {
      hasConv1dName |= ModulePaths.mayBeConv1d(pair.module());
      hasOtherName |= !ModulePaths.mayBeConv1d(pair.module());
    }
    ParameterTargets parameters = new ParameterTargets(config, base, wrong);
    tensors
        .byModule()
        .forEach(
            (module, pairs) -> {
              if (!parameters.find(module, pairs, found)) {
                pairs.forEach(this::find);
              }
            });
    if (!wrong.isEmpty()) {
      throw new ImportRefusedException(
          Reason.BASE,
          base == null
              ? "the LoRA cannot be imported without its base model's shapes; name the base model"
              : base.model().path() + ": the LoRA does not fit this base model",
          wrong);
    }
    requireRanks();
    return found;
  }

  private void find(LoraPair pair) {
    if (pair.depth() > 0) {
      wrong.add(
          pair.module()
              + ": has several LoRAs around one another, but target_parameters names no parameters"
              + " of it");
      return;
    }
    Tensor weight = embedded.get(pair.module());
    if (weight != null) {
      fit(pair, nameOf(pair), weight);
    } else if (base != null) {
      findInBase(pair, base);
    } else {
      boolean isTransposed = isTransposed(pair, null);
      put(
          pair,
          pair.module() + WEIGHT,
          isTransposed ? pair.transposedShape() : pair.linearShape(),
          isTransposed);
    }
  }

  private String nameOf(LoraPair pair) {
    String name = pair.module() + WEIGHT;
    TensorNames.Found tensor = base == null ? null : base.find(name, wrong);
    return tensor == null || tensor.untied() ? name : tensor.tensor().name();
  }

  private void findInBase(LoraPair pair, NamedBase known) {
    int before = wrong.size();
    String name = pair.module() + WEIGHT;
    TensorNames.Found tensor = known.find(name, wrong);
    if (tensor == null) {
      tensor = known.find(pair.module() + IN_PROJECTION, wrong);
    }
    if (tensor == null) {
      if (wrong.size() == before) {
        wrong.add(
            name
                + ": the base model has no such tensor"
                + known.names().suggestion(name, pair.linearShape()));
      }
      return;
    }
    fit(pair, tensor.untied() ? name : tensor.tensor().name(), tensor.tensor());
  }

  private void fit(LoraPair pair, String name, Tensor tensor) {
    List<Long> shape = tensor.shape();
    boolean fitsLinear = !pair.isEmbedding() && shape.equals(pair.linearShape());
    boolean fitsTransposed = !pair.isConvolution() && shape.equals(pair.transposedShape());
    if (tensor.adaptableType().isEmpty()) {
      wrong.add(
          "%s: tensor %s has type %s; must be F32, F16 or BF16, so name the base model before it was quantized"
              .formatted(pair.module(), tensor.name(), tensor.type()));
    } else if (!fitsLinear && !fitsTransposed) {
      wrong.add(
          "%s: its factors are for a weight of shape %s, but tensor %s has shape %s"
              .formatted(
                  pair.module(),
                  pair.isEmbedding() ? pair.transposedShape() : pair.linearShape(),
                  tensor.name(),
                  shape));
    } else {
      put(pair, name, shape, fitsLinear && fitsTransposed ? isTransposed(pair, base) : !fitsLinear);
    }
  }

  /** Decides the orientation of a square weight, which its shape leaves open. */
  private boolean isTransposed(LoraPair pair, @Nullable NamedBase known) {
    if (pair.isEmbedding() || pair.isConvolution()) {
      return pair.isEmbedding();
    }
    boolean mayBeConv1d = ModulePaths.mayBeConv1d(pair.module());
    String type = known == null ? null : known.config().typeOf(pair.module());
    Optional<Boolean> hasConv1d =
        known == null ? Optional.empty() : known.config().hasConv1d(pair.module());
    boolean isTold = type != null && (ModulePaths.isKnown(type) || !config.isFanInFanOut());
    if (hasConv1d.isPresent() && (hasConv1d.get() || isTold)) {
      return mayBeConv1d && hasConv1d.get();
    }
    // PEFT sets the flag by the module that it wraps last, and wraps each as its type requires.
    if (config.isFanInFanOut()) {
      return mayBeConv1d || !hasConv1dName;
    }
    if (mayBeConv1d && hasOtherName) {
      wrong.add(
          pair.module()
              + ": such weights are in×out in GPT-2 and out×in in other models, and fan_in_fan_out"
              + " tells it of one of several modules only");
    }
    return false;
  }

  private void put(LoraPair pair, String name, List<Long> shape, boolean isTransposed) {
    found.put(
        pair,
        new Target(
            pair.module(), name, shape.stream().map(Math::toIntExact).toList(), isTransposed));
  }

  private void requireRanks() throws ImportRefusedException {
    List<String> contradictions = new ArrayList<>();
    found.forEach(
        (pair, target) -> {
          long rank = config.rank(target.key());
          if (pair.rank() != rank * Math.max(1, target.experts())) {
            contradictions.add(
                "%s: has shape %s, but the config says that the rank of this module is %d"
                    .formatted(pair.a().name(), pair.a().shape(), rank));
          }
        });
    if (!contradictions.isEmpty()) {
      throw new ImportRefusedException(
          Reason.CONTENT, config.path() + ": contradicts the factors", contradictions);
    }
  }
}

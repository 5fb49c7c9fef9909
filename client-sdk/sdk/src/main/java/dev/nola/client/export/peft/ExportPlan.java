package dev.nola.client.export.peft;

import dev.nola.client.export.peft.ExportRefusedException.Reason;
import dev.nola.client.merge.TensorNames;
import dev.nola.client.peft.BaseConfig;
import dev.nola.client.peft.ModulePaths;
import dev.nola.client.peft.PeftFiles;
import dev.nola.client.peft.TaskType;
import dev.nola.client.safetensors.Model;
import dev.nola.format.Adapter;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.reconstruct.Budget;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What an adapter becomes in PEFT.
 *
 * @param modules in file order
 * @param saved the modules that PEFT keeps whole
 * @param rank r, the largest of all modules
 * @param isUniform whether all modules get this rank, those of smaller ones by zeros
 */
record ExportPlan(List<LoraModule> modules, SavedModules saved, int rank, boolean isUniform) {
  static final String KEY_PREFIX = PeftFiles.KEY_PREFIX;

  private static final String WEIGHT = "weight";

  /**
   * Plans an export.
   *
   * @param config the base model's config
   * @param task what the model is for; null if it is not known
   * @param base where the tensors that complete a module are taken from; null if it is not known
   * @throws ExportRefusedException naming every layer and dense tensor that PEFT cannot take
   * @throws IOException if the base model's config cannot be read
   */
  static ExportPlan of(
      Adapter adapter,
      ModulePaths paths,
      Orientation orientation,
      BaseConfig config,
      @Nullable TaskType task,
      @Nullable Model base)
      throws IOException, ExportRefusedException {
    List<String> wrong = new ArrayList<>();
    boolean mayBeTied = base == null || TensorNames.of(base).sharesEmbedding();
    adapter.layers().forEach(layer -> requireLora(layer, wrong));
    if (mayBeTied) {
      requireNoEmbedding(adapter, base == null, wrong);
    }
    SavedModules saved = SavedModules.of(adapter.dense(), paths, task, base, wrong);
    if (adapter.layers().isEmpty()) {
      wrong.add("it has no layers; PEFT needs at least one");
    }
    refuse(wrong);
    Predicate<Layer> isConv1d = orientation.decide(adapter.layers(), config);
    SequencedMap<String, LoraModule> modules = new LinkedHashMap<>();
    for (Layer layer : adapter.layers()) {
      String path = paths.of(ModulePaths.moduleOf(layer.tensor()));
      LoraModule module =
          modules.computeIfAbsent(
              path, key -> new LoraModule(key, new ArrayList<>(), kind(layer, isConv1d)));
      if (!module.layers().isEmpty()
          && !module.layers().getFirst().tensor().equals(layer.tensor())) {
        wrong.add(
            "%s and %s are both the weight of %s"
                .formatted(module.layers().getFirst().tensor(), layer.tensor(), path));
      }
      module.layers().add(layer);
    }
    refuse(wrong);
    long rank = modules.values().stream().mapToLong(LoraModule::rank).max().orElseThrow();
    for (LoraModule module : modules.values()) {
      long elements = Math.max(module.rows(), module.cols()) * rank;
      if (elements > Budget.MAX_ARRAY) {
        wrong.add(
            "%s: a factor of rank %d has %d elements; limit is %d"
                .formatted(module.path(), rank, elements, Budget.MAX_ARRAY));
      }
    }
    saved.requireApart(modules.sequencedKeySet(), wrong);
    refuse(wrong);
    return new ExportPlan(List.copyOf(modules.values()), saved, (int) rank, false);
  }

  /** Returns the plan with one rank for all modules. */
  ExportPlan uniform() {
    return new ExportPlan(modules, saved, rank, true);
  }

  /** Returns the rank of a module. */
  int rankOf(LoraModule module) {
    return isUniform ? rank : (int) module.rank();
  }

  private static LoraModule.Kind kind(Layer layer, Predicate<Layer> isConv1d) {
    return ModulePaths.isWordEmbedding(ModulePaths.moduleOf(layer.tensor()))
        ? LoraModule.Kind.EMBEDDING
        : isConv1d.test(layer) ? LoraModule.Kind.CONV1D : LoraModule.Kind.LINEAR;
  }

  /** Refuses input embeddings, which PEFT changes apart from an output embedding tied to them. */
  private static void requireNoEmbedding(Adapter adapter, boolean isUnknown, List<String> wrong) {
    Stream.concat(
            adapter.layers().stream().map(Layer::tensor),
            adapter.dense().stream().map(DenseTensor::name))
        .filter(name -> ModulePaths.isWordEmbedding(ModulePaths.moduleOf(name)))
        .distinct()
        .forEach(
            name ->
                wrong.add(
                    name
                        + ": is an embedding; PEFT would leave an output embedding that is tied to it unchanged"
                        + (isUnknown
                            ? "; if the base model ties none, " + PeftExport.NAME_BASE
                            : "")));
  }

  private static void refuse(List<String> wrong) throws ExportRefusedException {
    if (!wrong.isEmpty()) {
      throw new ExportRefusedException(
          Reason.CONTENT, "the adapter cannot be exported as a PEFT LoRA", wrong);
    }
  }

  private static void requireLora(Layer layer, List<String> wrong) {
    String module = ModulePaths.moduleOf(layer.tensor());
    if (layer.coefficients() instanceof Direct) {
      wrong.add(layer.tensor() + ": is in the direct form, which has no low-rank factors");
    } else if (layer.shape().size() == 3 && !ModulePaths.lastPart(layer.tensor()).equals(WEIGHT)) {
      wrong.add(
          "%s %s: is a parameter of a module, which PEFT adapts by target_parameters; the export cannot write that"
              .formatted(layer.tensor(), layer.shape()));
    } else if (!LoraModule.isLowRankOfMatrix(layer)) {
      wrong.add(
          "%s %s: is viewed as %d×%d, so its factors do not fit the weight matrix of a linear module"
              .formatted(layer.tensor(), layer.shape(), layer.rows(), layer.cols()));
    } else if (module.isEmpty() || !ModulePaths.lastPart(layer.tensor()).equals(WEIGHT)) {
      wrong.add(layer.tensor() + ": is not the weight of a module");
    } else if (ModulePaths.isOtherEmbedding(module)) {
      wrong.add(layer.tensor() + ": is an embedding, not a linear module");
    }
  }
}

package dev.nola.client.peft;

import dev.nola.client.peft.ExportRefusedException.Reason;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.Adapter;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.reconstruct.Budget;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What an adapter becomes in PEFT.
 *
 * @param modules in file order
 * @param saved the tensors of the modules that PEFT keeps whole
 * @param rank r, one for all modules
 */
record ExportPlan(List<LoraModule> modules, List<SavedTensor> saved, int rank) {
  static final String KEY_PREFIX = "base_model.model.";

  private static final String WEIGHT = "weight";

  /** Names of modules that look up word embeddings, in the models of transformers. */
  private static final Set<String> WORD_EMBEDDINGS =
      Set.of(
          "embed_tokens",
          "wte",
          "word_embeddings",
          "tok_embeddings",
          "embed_in",
          "embed",
          "shared");

  /** Names of other modules that are embeddings. */
  private static final Set<String> OTHER_EMBEDDINGS =
      Set.of("wpe", "position_embeddings", "token_type_embeddings", "embed_positions");

  private static final String WHY_NO_EMBEDDING =
      ": is an embedding, and PEFT would leave an output embedding tied to it as it was";

  /**
   * Plans an export.
   *
   * @param base where the tensors that complete a module are taken from; null if it is not known
   * @throws ExportRefusedException naming every layer and dense tensor that PEFT cannot take
   */
  static ExportPlan of(
      Adapter adapter,
      ModulePaths paths,
      Orientation orientation,
      @Nullable String modelType,
      @Nullable Model base)
      throws ExportRefusedException {
    List<String> wrong = new ArrayList<>();
    adapter.layers().forEach(layer -> requireLora(layer, wrong));
    adapter.dense().forEach(tensor -> requireModule(tensor, wrong));
    if (adapter.layers().isEmpty()) {
      wrong.add("there is no layer, and PEFT takes no LoRA without one");
    }
    refuse(wrong);
    Predicate<Layer> isConv1d = orientation.decide(adapter.layers(), modelType);
    SequencedMap<String, LoraModule> modules = new LinkedHashMap<>();
    for (Layer layer : adapter.layers()) {
      String path = paths.of(ModulePaths.moduleOf(layer.tensor()));
      LoraModule module =
          modules.computeIfAbsent(
              path, key -> new LoraModule(key, new ArrayList<>(), isConv1d.test(layer)));
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
            "%s: a factor of rank %d has %d elements, limit is %d"
                .formatted(module.path(), rank, elements, Budget.MAX_ARRAY));
      }
    }
    List<SavedTensor> saved = saved(adapter, paths, base);
    requireApart(modules.sequencedKeySet(), saved, modulesOf(paths, base), wrong);
    refuse(wrong);
    return new ExportPlan(List.copyOf(modules.values()), saved, (int) rank);
  }

  /** The paths of the modules that PEFT keeps whole. */
  SequencedSet<String> savedModules() {
    SequencedSet<String> paths = new LinkedHashSet<>();
    saved.forEach(tensor -> paths.add(tensor.module()));
    return paths;
  }

  private static void refuse(List<String> wrong) throws ExportRefusedException {
    if (!wrong.isEmpty()) {
      throw new ExportRefusedException(
          Reason.CONTENT, "the adapter cannot be a LoRA of PEFT", wrong);
    }
  }

  private static void requireLora(Layer layer, List<String> wrong) {
    String module = ModulePaths.moduleOf(layer.tensor());
    String name = ModulePaths.lastPart(module);
    if (layer.coefficients() instanceof Direct) {
      wrong.add(layer.tensor() + ": is of the direct form, which has no low rank");
    } else if (!LoraModule.isLowRankOfMatrix(layer)) {
      wrong.add(
          "%s %s: is viewed as %d×%d, so its factors are not those of a matrix of a Linear"
              .formatted(layer.tensor(), layer.shape(), layer.rows(), layer.cols()));
    } else if (module.isEmpty() || !ModulePaths.lastPart(layer.tensor()).equals(WEIGHT)) {
      wrong.add(layer.tensor() + ": is not the weight of a module");
    } else if (isWordEmbedding(module)) {
      wrong.add(layer.tensor() + WHY_NO_EMBEDDING);
    } else if (OTHER_EMBEDDINGS.contains(name)) {
      wrong.add(layer.tensor() + ": is an embedding, not a Linear");
    }
  }

  private static void requireModule(DenseTensor tensor, List<String> wrong) {
    String module = ModulePaths.moduleOf(tensor.name());
    if (module.isEmpty()) {
      wrong.add(tensor.name() + ": is in no module, and PEFT keeps modules whole, not tensors");
    } else if (isWordEmbedding(module)) {
      wrong.add(tensor.name() + WHY_NO_EMBEDDING);
    }
  }

  private static boolean isWordEmbedding(String module) {
    return WORD_EMBEDDINGS.contains(ModulePaths.lastPart(module));
  }

  /** The dense tensors, and what else is in their modules: PEFT asks for all of a module. */
  private static List<SavedTensor> saved(Adapter adapter, ModulePaths paths, @Nullable Model base) {
    SequencedMap<String, SavedTensor> saved = new LinkedHashMap<>();
    for (DenseTensor tensor : adapter.dense()) {
      SavedTensor own = SavedTensor.of(paths.of(ModulePaths.moduleOf(tensor.name())), tensor);
      saved.put(own.slot().name(), own);
    }
    if (base != null) {
      Set<String> modules = new LinkedHashSet<>();
      saved.values().forEach(tensor -> modules.add(tensor.module()));
      for (Tensor tensor : base.tensors().values()) {
        String module = paths.of(ModulePaths.moduleOf(tensor.name()));
        if (modules.contains(module)) {
          SavedTensor neighbour = SavedTensor.of(module, tensor);
          saved.putIfAbsent(neighbour.slot().name(), neighbour);
        }
      }
    }
    return List.copyOf(saved.values());
  }

  private static Set<String> modulesOf(ModulePaths paths, @Nullable Model base) {
    Set<String> modules = new LinkedHashSet<>();
    if (base != null) {
      for (String tensor : base.tensors().keySet()) {
        String module = paths.of(ModulePaths.moduleOf(tensor));
        for (; !module.isEmpty(); module = ModulePaths.moduleOf(module)) {
          modules.add(module);
        }
      }
    }
    return modules;
  }

  /**
   * PEFT adapts no module that is, or is in, one that it keeps whole, and keeps whole every module
   * whose path ends with one of the names, be it in the middle of a word.
   */
  private static void requireApart(
      Set<String> adapted, List<SavedTensor> saved, Set<String> all, List<String> wrong) {
    Set<String> kept = new LinkedHashSet<>();
    saved.forEach(tensor -> kept.add(tensor.module()));
    for (String module : kept) {
      Pattern around = Pattern.compile("(.*\\.)?" + Pattern.quote(module) + "(\\..*)?");
      for (String path : adapted) {
        if (around.matcher(path).matches()) {
          wrong.add(
              "%s: is kept whole for a dense tensor, so PEFT would not adapt %s"
                  .formatted(module, path.equals(module) ? "its weight" : path));
        }
      }
      for (String path : all) {
        if (path.endsWith(module) && !path.equals(module)) {
          wrong.add(
              "%s: is kept whole for a dense tensor, and PEFT would take %s for it too"
                  .formatted(module, path));
        }
      }
    }
  }
}

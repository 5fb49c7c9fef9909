package dev.nola.client.export;

import dev.nola.client.export.ExportRefusedException.Reason;
import dev.nola.client.merge.TensorNames;
import dev.nola.client.merge.TensorNames.AmbiguousNameException;
import dev.nola.client.peft.BaseConfig;
import dev.nola.client.peft.HeadClass;
import dev.nola.client.peft.ModulePaths;
import dev.nola.client.peft.Rename;
import dev.nola.client.peft.TaskType;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.Adapter;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds where the loaded model has an adapter's modules, and confirms it by the base model. */
final class ExportPaths {
  private final @Nullable String prefix;
  private final List<Rename> renames;
  private final @Nullable HeadClass head;
  private final @Nullable TaskType task;
  private final List<String> warnings;

  /**
   * Prepares to find paths.
   *
   * @param prefix the prefix of every path; null to derive the paths
   * @param renames the user's rules, which precede all others
   * @param head class of the loaded model, if the adapter states one that is known
   * @param task what the loaded model is for; null if it is not known
   * @param warnings receives what could not be confirmed
   */
  ExportPaths(
      @Nullable String prefix,
      List<Rename> renames,
      @Nullable HeadClass head,
      @Nullable TaskType task,
      List<String> warnings) {
    this.prefix = prefix;
    this.renames = renames;
    this.head = head;
    this.task = task;
    this.warnings = warnings;
  }

  /**
   * Finds the paths.
   *
   * @param base the base model; null if it is not known
   * @param config its config
   * @throws ExportRefusedException if the base model has no such tensors, or the paths cannot be
   *     told without it
   * @throws IOException if the base model's config cannot be read
   */
  ModulePaths of(Adapter adapter, @Nullable Model base, BaseConfig config)
      throws IOException, ExportRefusedException {
    SequencedSet<String> modules = new LinkedHashSet<>();
    adapter.layers().forEach(layer -> modules.add(ModulePaths.moduleOf(layer.tensor())));
    adapter.dense().forEach(tensor -> modules.add(ModulePaths.moduleOf(tensor.name())));
    SequencedSet<String> known = new LinkedHashSet<>();
    if (base != null) {
      base.tensors().keySet().forEach(name -> known.add(ModulePaths.moduleOf(name)));
    }
    ModulePaths derived = derived(config.modelType(), base == null ? modules : known);
    Map<String, String> names =
        base == null ? Map.of() : names(adapter, base, known, loadedNames(known, derived));
    ModulePaths paths = derived.renamed(renames).withNames(names);
    if (prefix == null && head == null) { // which say where the modules are
      confirm(modules, paths, base != null, config.modelType());
    }
    if (config.modelType() != null && ModulePaths.fusesExperts(config.modelType())) {
      requireAllExperts(adapter, known, paths);
    }
    return paths;
  }

  private static void requireAllExperts(
      Adapter adapter, Collection<String> known, ModulePaths paths) throws ExportRefusedException {
    Set<String> adapted = new LinkedHashSet<>();
    adapter.layers().forEach(layer -> adapted.add(paths.of(ModulePaths.moduleOf(layer.tensor()))));
    List<String> wrong = new ArrayList<>();
    FusedExperts.requireAll(adapted, known.stream().map(paths::of).toList(), wrong);
    if (!wrong.isEmpty()) {
      throw new ExportRefusedException(
          Reason.CONTENT, "the adapter cannot be exported as a LoRA", wrong);
    }
  }

  private ModulePaths derived(@Nullable String modelType, Collection<String> modules) {
    if (prefix != null) {
      return ModulePaths.prefixed(prefix);
    }
    if (head != null) {
      return ModulePaths.of(head);
    }
    return ModulePaths.of(modelType, modules, task);
  }

  private void confirm(
      Collection<String> modules, ModulePaths paths, boolean isBase, @Nullable String modelType)
      throws ExportRefusedException {
    List<String> unchanged =
        modules.stream()
            .filter(
                module ->
                    renames.stream()
                        .noneMatch(rename -> rename.applies(ModulePaths.unwrapped(module))))
            .toList();
    if (modelType == null && task != TaskType.FEATURE_EXTRACTION) {
      List<String> ambiguous = ModulePaths.ambiguous(unchanged);
      if (!ambiguous.isEmpty()) {
        throw new ExportRefusedException(
            Reason.MODULES,
            "cannot tell where the loaded model has module %s: models of several types have it under different prefixes; the base model's folder or a prefix must be named"
                .formatted(ambiguous.getFirst()));
      }
    }
    if (unchanged.isEmpty()) {
      return;
    }
    String example = paths.of(unchanged.getFirst());
    if (!isBase) {
      warnings.add(
          "the paths of modules in the loaded model were not confirmed, such as %s: %s"
              .formatted(example, LoraExport.NO_BASE));
    } else if (modelType == null || !ModulePaths.isKnown(modelType)) {
      warnings.add(
          "the paths of modules in the loaded model were not confirmed, such as %s, because the base model's type is not known%s; rename them if PEFT reports missing keys"
              .formatted(example, modelType == null ? "" : " (" + modelType + ")"));
    }
  }

  /** Returns the checkpoint's names by those of the loaded model. */
  private static Map<String, String> loadedNames(Collection<String> known, ModulePaths paths) {
    Map<String, String> names = new HashMap<>();
    known.forEach(module -> names.put(paths.of(module), module));
    return names;
  }

  /** Finds the base's names of the adapter's modules. */
  private static Map<String, String> names(
      Adapter adapter, Model base, Set<String> known, Map<String, String> loadedNames)
      throws IOException, ExportRefusedException {
    TensorNames tensors = TensorNames.of(base);
    Map<String, String> names = new HashMap<>();
    List<String> wrong = new ArrayList<>();
    for (Layer layer : adapter.layers()) {
      List<Long> shape = layer.shape().stream().map(Integer::longValue).toList();
      int before = wrong.size();
      Tensor tensor = find(layer.tensor(), tensors, loadedNames, names, wrong);
      // A quantized base has other tensors, but the same modules.
      boolean isKnown = known.contains(ModulePaths.moduleOf(layer.tensor()));
      if (tensor == null && !isKnown && wrong.size() == before) {
        wrong.add(
            "%s %s: the base model has no such tensor%s"
                .formatted(layer.tensor(), shape, tensors.suggestion(layer.tensor(), shape)));
      } else if (tensor != null
          && tensor.adaptableType().isPresent()
          && !tensor.shape().equals(shape)) {
        wrong.add(
            "%s %s: tensor %s of the base model has shape %s"
                .formatted(layer.tensor(), shape, tensor.name(), tensor.shape()));
      }
    }
    for (DenseTensor dense : adapter.dense()) {
      find(dense.name(), tensors, loadedNames, names, wrong); // may be new
    }
    if (!wrong.isEmpty()) {
      throw new ExportRefusedException(
          Reason.BASE,
          "%s: %d of the adapted tensors do not match the base model"
              .formatted(base.path(), wrong.size()),
          wrong);
    }
    return names;
  }

  /** Finds a tensor, and notes the base's name of its module if the adapter has another. */
  private static @Nullable Tensor find(
      String name,
      TensorNames tensors,
      Map<String, String> loadedNames,
      Map<String, String> names,
      List<String> wrong) {
    String module = ModulePaths.moduleOf(name);
    try {
      TensorNames.Found found = tensors.find(name);
      String loaded = loadedNames.get(ModulePaths.unwrapped(module));
      if (found == null && loaded != null) {
        found = tensors.find(loaded + "." + ModulePaths.lastPart(name));
      }
      if (found == null) {
        return null;
      }
      if (!found.untied()) {
        names.put(module, ModulePaths.moduleOf(found.tensor().name()));
      }
      return found.tensor();
    } catch (AmbiguousNameException e) {
      wrong.add(e.getMessage());
      return null;
    }
  }
}

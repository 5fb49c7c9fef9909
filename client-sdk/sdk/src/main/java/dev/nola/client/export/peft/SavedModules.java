package dev.nola.client.export.peft;

import dev.nola.client.peft.ModulePaths;
import dev.nola.client.peft.PeftFiles;
import dev.nola.client.peft.TaskType;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DenseTensor;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The modules that PEFT keeps whole for an adapter's dense tensors.
 *
 * @param tensors the dense tensors, and what else is in their modules
 * @param known paths of all modules of the base model; empty if it is not known
 */
record SavedModules(List<SavedTensor> tensors, Set<String> known) {
  /**
   * Finds the modules of dense tensors: each its own, or the task's head around it, which PEFT
   * keeps as one.
   *
   * @param base has the tensors that complete the modules, as PEFT asks for all of a module; null
   *     if it is not known
   */
  static SavedModules of(
      List<DenseTensor> dense, ModulePaths paths, @Nullable TaskType task, @Nullable Model base) {
    SequencedMap<String, SavedTensor> saved = new LinkedHashMap<>();
    for (DenseTensor tensor : dense) {
      String module = ModulePaths.moduleOf(tensor.name());
      List<Long> shape = tensor.shape().stream().map(Integer::longValue).toList();
      Slot slot =
          new Slot(
              key(paths, tensor.name()), tensor.dtype().name(), shape, tensor.data().byteSize());
      saved.put(slot.name(), new SavedTensor(kept(paths.of(module), task), slot, tensor.data()));
    }
    Set<String> known = new LinkedHashSet<>();
    if (base != null) {
      Set<String> modules = new LinkedHashSet<>();
      saved.values().forEach(tensor -> modules.add(tensor.module()));
      for (Tensor tensor : base.tensors().values()) {
        String path = paths.of(ModulePaths.moduleOf(tensor.name()));
        String module = kept(path, task);
        if (modules.contains(module)) {
          Slot slot =
              new Slot(
                  key(paths, tensor.name()),
                  tensor.type(),
                  tensor.shape(),
                  tensor.data().byteSize());
          saved.putIfAbsent(slot.name(), new SavedTensor(module, slot, tensor.data()));
        }
        for (; !path.isEmpty(); path = ModulePaths.moduleOf(path)) {
          known.add(path);
        }
      }
    }
    return new SavedModules(List.copyOf(saved.values()), known);
  }

  private static String kept(String path, @Nullable TaskType task) {
    return task == null ? path : task.headOf(path).orElse(path);
  }

  private static String key(ModulePaths paths, String tensor) {
    return PeftFiles.KEY_PREFIX
        + paths.of(ModulePaths.moduleOf(tensor))
        + "."
        + ModulePaths.lastPart(tensor);
  }

  /** The paths of the modules. */
  SequencedSet<String> paths() {
    SequencedSet<String> paths = new LinkedHashSet<>();
    tensors.forEach(tensor -> paths.add(tensor.module()));
    return paths;
  }

  /**
   * Finds modules that PEFT would confuse: it adapts no module that is, or is in, one that it keeps
   * whole, and keeps whole every module whose path ends with one of the names, be it in the middle
   * of a word.
   *
   * @param adapted paths of the modules that have a LoRA
   * @param wrong receives a sentence for each pair
   */
  void requireApart(Set<String> adapted, List<String> wrong) {
    for (String module : paths()) {
      Pattern around = Pattern.compile("(.*\\.)?" + Pattern.quote(module) + "(\\..*)?");
      for (String path : adapted) {
        if (around.matcher(path).matches()) {
          wrong.add(
              "%s: is stored whole because of a dense tensor, so PEFT would not adapt %s"
                  .formatted(module, path.equals(module) ? "its weight" : path));
        }
      }
      for (String path : known) {
        if (path.endsWith(module) && !path.equals(module)) {
          wrong.add(
              "%s: is stored whole because of a dense tensor, and PEFT would also match %s by this name"
                  .formatted(module, path));
        }
      }
    }
  }
}

package dev.nola.client.lora;

import dev.nola.client.peft.BaseConfig;
import dev.nola.client.peft.ModulePaths;
import dev.nola.client.peft.TaskType;
import dev.nola.client.safetensors.Model;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Names of a checkpoint's tensors by those that the loaded model has for them, with any head and
 * without. Thread-safe.
 */
final class LoadedNames {
  private final Model model;
  private final BaseConfig config;
  private @Nullable Map<String, String> stored;

  LoadedNames(Model model, BaseConfig config) {
    this.model = model;
    this.config = config;
  }

  /**
   * Returns the name of a tensor in the checkpoint; null if the loaded model has no such tensor.
   */
  synchronized @Nullable String stored(String name) {
    Map<String, String> names = stored;
    if (names == null) {
      names = names();
      stored = names;
    }
    return names.get(name);
  }

  private Map<String, String> names() {
    Set<String> modules = new LinkedHashSet<>();
    model.tensors().keySet().forEach(name -> modules.add(ModulePaths.moduleOf(name)));
    List<@Nullable TaskType> tasks = new ArrayList<>();
    tasks.add(null); // the usual model with a head precedes
    tasks.addAll(List.of(TaskType.values()));
    Map<String, String> names = new HashMap<>();
    for (TaskType task : tasks) {
      ModulePaths paths = ModulePaths.of(config.modelType(), modules, task);
      for (String name : model.tensors().keySet()) {
        String path = paths.of(ModulePaths.moduleOf(name));
        names.putIfAbsent(path + "." + ModulePaths.lastPart(name), name);
      }
    }
    return names;
  }
}

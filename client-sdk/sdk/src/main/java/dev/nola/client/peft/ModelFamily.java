package dev.nola.client.peft;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How transformers names the modules of the models of one or more types.
 *
 * @param prefix where a model with a head keeps its transformer, with a dot at the end; empty if
 *     models with a head and without name their modules alike
 * @param taskPrefixes prefixes of models for tasks that have another one
 * @param renames turn the names that checkpoints have into those of the loaded model with a head
 * @param fusesExperts whether the loaded model has the weights of all experts in one parameter,
 *     while checkpoints have them apart
 */
record ModelFamily(
    String prefix, Map<TaskType, String> taskPrefixes, List<Rename> renames, boolean fusesExperts) {
  /** A model whose names in the checkpoint are those of the loaded model. */
  static final ModelFamily UNKNOWN = new ModelFamily("", Map.of(), List.of(), false);

  /** Returns the prefix of the models for a task; null if the task is not known. */
  String prefix(@Nullable TaskType task) {
    return task == null ? prefix : taskPrefixes.getOrDefault(task, prefix);
  }

  /** Returns the name of a module in the loaded model with a head, except for the prefix. */
  String renamed(String module) {
    String name = module;
    for (Rename rename : renames) {
      name = rename.all(name);
    }
    return name;
  }
}

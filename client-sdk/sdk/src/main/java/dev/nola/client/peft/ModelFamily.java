package dev.nola.client.peft;

import java.util.List;

/**
 * How transformers names the modules of the models of one or more types.
 *
 * @param prefix where a model with a head keeps its transformer, with a dot at the end; empty if
 *     models with a head and without name their modules alike
 * @param renames turn the names that checkpoints have into those of the loaded model with a head
 * @param fusesExperts whether the loaded model has the weights of all experts in one parameter,
 *     while checkpoints have them apart
 */
record ModelFamily(String prefix, List<Rename> renames, boolean fusesExperts) {
  /** Returns the name of a module in the loaded model with a head, except for the prefix. */
  String renamed(String module) {
    String name = module;
    for (Rename rename : renames) {
      name = rename.all(name);
    }
    return name;
  }
}

package dev.nola.client.export.peft;

import dev.nola.client.export.ExportPlan;
import dev.nola.client.export.ExportSource;
import dev.nola.client.export.LoraModule;
import dev.nola.client.peft.PeftFiles;
import dev.nola.client.peft.TaskType;
import java.util.Collection;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What {@value #FILE} says. */
record AdapterConfig(ExportSource source, ExportPlan plan, SavedModules saved) {
  static final String FILE = PeftFiles.CONFIG;

  byte[] toJson() {
    ObjectNode config = JsonMapper.shared().createObjectNode();
    config.putNull("auto_mapping");
    config.put("base_model_name_or_path", source.name().name());
    config.put("bias", "none");
    config.put(
        "fan_in_fan_out",
        plan.modules().stream()
            .anyMatch(module -> module.kind() == LoraModule.Kind.CONV1D)); // PEFT says of each
    config.put("inference_mode", true);
    config.put("init_lora_weights", true);
    config.putNull("layers_pattern");
    config.putNull("layers_to_transform");
    config.put("lora_alpha", plan.rank());
    config.put("lora_dropout", 0.0);
    if (saved.tensors().isEmpty()) {
      config.putNull("modules_to_save");
    } else {
      putAll(config.putArray("modules_to_save"), saved.paths());
    }
    config.put("peft_type", "LORA");
    config.put("r", plan.rank());
    // lora_alpha is r for each module, so that nothing is scaled.
    ObjectNode ranks = config.putObject("rank_pattern");
    ObjectNode alphas = config.putObject("alpha_pattern");
    for (LoraModule module : plan.modules()) {
      int rank = plan.rankOf(module);
      if (rank != plan.rank()) {
        ranks.put(module.path(), rank);
        alphas.put(module.path(), rank);
      }
    }
    config.put("revision", source.name().revision());
    // Whole paths: a name alone would also match in layers that are not adapted.
    List<String> paths = plan.modules().stream().map(LoraModule::path).toList();
    putAll(config.putArray("target_modules"), paths);
    TaskType task = source.task();
    config.put("task_type", task == null ? null : task.peftName());
    config.put("use_dora", false);
    config.put("use_rslora", false);
    return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsBytes(config);
  }

  private static void putAll(ArrayNode array, Collection<String> texts) {
    texts.forEach(array::add);
  }
}

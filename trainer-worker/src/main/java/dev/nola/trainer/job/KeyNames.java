package dev.nola.trainer.job;

import java.util.Map;

/** Other names of the keys of job files. */
final class KeyNames {
  /** Names of keys in other trainers, with the keys. */
  static final Map<String, String> ALIASES =
      Map.ofEntries(
          Map.entry("lr", "optimizer.learningRate"),
          Map.entry("r", "method.rank"),
          Map.entry("lora_alpha", "method.scaling"),
          Map.entry("lora_dropout", "method.dropout"),
          Map.entry("target_modules", "method.targets"),
          Map.entry("max_length", "data.maxTokens"),
          Map.entry("max_seq_length", "data.maxTokens"),
          Map.entry("max_steps", "run.steps"),
          Map.entry("num_train_epochs", "run.epochs"),
          Map.entry("batch_size", "run.batch"),
          Map.entry("per_device_train_batch_size", "run.batch"),
          Map.entry("warmup_steps", "optimizer.warmup"),
          Map.entry("lr_scheduler_type", "optimizer.schedule"),
          Map.entry("max_grad_norm", "optimizer.clip"),
          Map.entry("label_smoothing", "run.labelSmoothing"),
          Map.entry("label_smoothing_factor", "run.labelSmoothing"),
          Map.entry("eval_steps", "run.evaluateEvery"),
          Map.entry("save_steps", "run.checkpointEvery"),
          Map.entry("gradient_checkpointing", "run.gradientCheckpointing"),
          Map.entry("model_name_or_path", "model.base"));

  /** Settings whose key has another name. */
  private static final Map<String, String> OTHER_NAMES =
      Map.of(
          "widths",
          "model.mlp",
          "layout",
          "data.format",
          "method",
          "method.name",
          "sharedBasis",
          "method.basis",
          "quantizationAwareBits",
          "method.quantizationAware",
          "quantizationAwareFrom",
          "method.quantizationAware",
          "dataSeed",
          "data.seed");

  private KeyNames() {}

  /** Returns the path of the key that a setting of {@link TrainingJob#canonical} comes from. */
  static String pathOf(String setting) {
    String name = OTHER_NAMES.getOrDefault(setting, setting);
    return Keys.ALL.stream()
        .map(Key::path)
        .filter(path -> path.equals(name) || path.endsWith("." + name))
        .findFirst()
        .orElse(setting);
  }
}

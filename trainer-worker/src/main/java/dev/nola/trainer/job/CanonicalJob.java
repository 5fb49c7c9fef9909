package dev.nola.trainer.job;

import dev.nola.text.Label;
import dev.nola.trainer.data.Bos;
import dev.nola.trainer.data.DataFiles;
import dev.nola.trainer.job.TrainingJob.Length;
import dev.nola.trainer.job.TrainingJob.Source;
import dev.nola.trainer.job.TrainingJob.Task;
import dev.nola.trainer.method.Recipe;
import dev.nola.trainer.method.Storage;
import dev.nola.trainer.method.View;
import dev.nola.trainer.model.BaseType;
import java.util.List;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;

/** The settings of a job that its result depends on, as JSON for its digest. */
final class CanonicalJob {
  private CanonicalJob() {}

  /** Returns what {@link TrainingJob#canonical} describes. */
  static String of(TrainingJob job) {
    Source model = job.model();
    TrainingJob.Objective objective = job.objective();
    DataFiles data = job.data();
    Recipe recipe = job.recipe();
    Storage storage = job.storage();
    TrainingJob.Optimizer optimizer = job.optimizer();
    TrainingJob.Run run = job.run();
    TreeMap<String, Object> settings = new TreeMap<>();
    if (model instanceof Source.FromScratch mlp) {
      settings.put("widths", mlp.widths());
    }
    if (model instanceof Source.PreTrained base && base.type() != BaseType.F32) {
      settings.put("baseType", Label.of(base.type())); // older versions had only F32
    }
    if (model instanceof Source.Residual network) {
      settings.put("network", Label.of(network.kind()));
    }
    settings.put("task", objective.task().label());
    if (objective.task() == Task.CLASSIFICATION && model instanceof Source.PreTrained) {
      // Versions that had only the mean left the key out.
      settings.put(
          "pooling", objective.pooling() == null ? "standard" : objective.pooling().label());
    }
    if (!objective.labels().isEmpty()) {
      settings.put("labels", objective.labels());
    }
    if (objective.labelSmoothing() > 0) {
      settings.put("labelSmoothing", objective.labelSmoothing()); // older versions had none
    }
    Integer maxTokens = data.tokens().maximum();
    settings.put("maxTokens", maxTokens == null ? DataFiles.DEFAULT_MAX_TOKENS : maxTokens);
    if (objective.task() == Task.CAUSAL_LM && data.tokens().bos() != Bos.CONFIG) {
      settings.put("bos", Label.of(data.tokens().bos())); // older versions had only CONFIG
    }
    settings.put("trainExamples", data.selection().trainExamples());
    settings.put("validationExamples", data.selection().validationExamples());
    if (data.validation() instanceof DataFiles.Validation.Share share) {
      settings.put("validationShare", share.share());
    }
    switch (data.layout()) {
      case DataFiles.Layout.E2e _ -> settings.put("layout", List.of("e2e"));
      case DataFiles.Layout.PromptJsonl jsonl ->
          settings.put("layout", List.of("jsonl", jsonl.prompt(), jsonl.completion()));
      case DataFiles.Layout.LabelledJsonl jsonl ->
          settings.put("layout", List.of("jsonl", jsonl.text(), jsonl.label()));
      case DataFiles.Layout.LabelledTsv tsv ->
          settings.put("layout", List.of("tsv", tsv.text(), tsv.label()));
      case DataFiles.Layout.LabelledCsv csv ->
          settings.put("layout", List.of("csv", csv.text(), csv.label()));
      case DataFiles.Layout.PromptCsv csv ->
          settings.put("layout", List.of("csv", csv.prompt(), csv.completion()));
      case DataFiles.Layout.PlainText _ -> settings.put("layout", List.of("text"));
      case DataFiles.Layout.Chat chat -> settings.put("layout", List.of("chat", chat.messages()));
      case DataFiles.Layout.Idx _ -> settings.put("layout", List.of("idx"));
      case DataFiles.Layout.ImageFolder _ -> settings.put("layout", List.of("images"));
    }
    if (data.layout().images() != null) {
      settings.putAll(ImageKeys.canonical(data.layout().images()));
    }
    settings.put("method", Label.of(recipe.method()));
    // Versions in which full took no targets wrote the default of the other methods.
    boolean isEvery = recipe.targets().equals(Keys.EVERY_TENSOR);
    settings.put("targets", isEvery ? TargetSets.QV : recipe.targets().pattern());
    if (recipe.size().view() != View.LAYER) {
      settings.put("view", Label.of(recipe.size().view())); // older versions had only LAYER
    }
    settings.put("rank", recipe.size().rank());
    settings.put("k", recipe.size().k());
    settings.put("l", recipe.size().l());
    settings.put("generator", recipe.bases().generator().label());
    settings.put("sharedBasis", recipe.bases().shared());
    settings.put("storedBasis", recipe.bases().stored());
    long seed = recipe.bases().seed();
    settings.put("seed", Long.toUnsignedString(seed));
    if (data.selection().seed() != seed) {
      settings.put("dataSeed", Long.toUnsignedString(data.selection().seed()));
    }
    if (recipe.training().seed() != seed) {
      settings.put("initialSeed", Long.toUnsignedString(recipe.training().seed()));
    }
    if (data.selection().shots() != 0) {
      settings.put("shots", data.selection().shots());
    }
    settings.put(
        "scaling",
        recipe.scaling().isPaper() ? List.of("paper", recipe.scaling().c()) : recipe.scaling().c());
    settings.put("quantizationAwareBits", recipe.training().rounding().bits());
    if (recipe.training().rounding().from() > 0) {
      settings.put("quantizationAwareFrom", recipe.training().rounding().from());
    }
    if (recipe.training().dropout() > 0) {
      settings.put("dropout", recipe.training().dropout()); // older versions had none
    }
    settings.put("bits", storage.bits());
    settings.put("denseType", Label.of(storage.denseType()));
    settings.put("learningRate", optimizer.learningRate());
    settings.put("schedule", Label.of(optimizer.schedule()));
    double warmupShare = optimizer.warmup().share();
    settings.put(
        "warmup", warmupShare == 0 ? optimizer.warmup().steps() : List.of("share", warmupShare));
    settings.put("beta1", optimizer.adamW().beta1());
    settings.put("beta2", optimizer.adamW().beta2());
    settings.put("epsilon", optimizer.adamW().epsilon());
    settings.put("weightDecay", optimizer.adamW().weightDecay());
    settings.put("clip", optimizer.adamW().clip());
    settings.put("batch", run.batch());
    settings.put("microBatch", run.microBatch());
    switch (run.length()) {
      case Length.Steps steps -> settings.put("steps", steps.count());
      case Length.Epochs epochs -> settings.put("epochs", epochs.count());
    }
    return JsonMapper.shared().writeValueAsString(settings);
  }
}

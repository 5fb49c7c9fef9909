package dev.nola.trainer.training;

import dev.nola.digest.Sha256;
import dev.nola.trainer.data.Dataset;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.job.TrainingJob;
import dev.nola.trainer.model.BaseModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the result of a run depends on. A checkpoint keeps it, so that a run is resumed with the
 * same job, base model and data, or extended to more steps.
 *
 * @param job the job's settings, as JSON
 * @param data digests of the data files
 * @param images what turns images into inputs; empty without images
 * @param base digest of the base model's tensors; empty for a model trained from scratch
 * @param extended the earlier numbers of steps, if the run was extended and this changed the
 *     learning rate
 */
record RunIdentity(String job, String data, String images, String base, String extended) {
  private static final String JOB = "job";
  private static final String DATA = "data";
  private static final String IMAGES = "images";
  private static final String BASE = "base";
  private static final String EXTENDED = "extended";
  private static final String STEPS = "steps";

  static RunIdentity of(TrainingJob job, Dataset data, BaseModel base) {
    Sha256 identity = base.identity(base.names());
    return new RunIdentity(
        job.canonical(),
        data.digests().toString(),
        transform(data),
        identity == null ? "" : identity.toString(),
        "");
  }

  /** Returns what turns images into inputs, some of which the model's folder may say. */
  private static String transform(Dataset data) {
    return data.train().getFirst() instanceof Example.Picture picture
        ? picture.transform().toString()
        : "";
  }

  /** Returns this as the metadata of a checkpoint. */
  Map<String, String> metadata() {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put(JOB, job);
    metadata.put(DATA, data);
    if (!images.isEmpty()) {
      metadata.put(IMAGES, images);
    }
    metadata.put(BASE, base);
    metadata.put(EXTENDED, extended);
    return metadata;
  }

  /**
   * Says what keeps a checkpoint from being continued by this run.
   *
   * @param checkpoint metadata of the checkpoint
   * @param step number of the checkpoint's step
   * @return the differences, in words; empty if the run may continue
   */
  List<String> differences(Map<String, String> checkpoint, long step) {
    if (!checkpoint.containsKey(JOB)) {
      return List.of("an earlier version of Nola wrote it");
    }
    List<String> differences = new ArrayList<>();
    JsonNode oldJob = settings(checkpoint.getOrDefault(JOB, "{}"));
    JsonNode newJob = settings(job);
    TreeSet<String> settings = new TreeSet<>(oldJob.propertyNames());
    settings.addAll(newJob.propertyNames());
    for (String setting : settings) {
      JsonNode oldValue = oldJob.path(setting);
      JsonNode newValue = newJob.path(setting);
      boolean isLength = setting.equals(STEPS) && newValue.isNumber() && oldValue.isNumber();
      if (isLength ? newValue.asLong() < step : !oldValue.equals(newValue)) {
        differences.add(
            isLength
                ? "%s is %d; must be at least %d, the steps taken"
                    .formatted(TrainingJob.keyOf(setting), newValue.asLong(), step)
                : "%s was %s and is %s"
                    .formatted(TrainingJob.keyOf(setting), shown(oldValue), shown(newValue)));
      }
    }
    if (!data.equals(checkpoint.get(DATA))) {
      differences.add("a data file has other content");
    }
    if (!images.equals(checkpoint.getOrDefault(IMAGES, ""))) {
      differences.add("the folder of model.base says something else about images");
    }
    if (!base.equals(checkpoint.get(BASE))) {
      differences.add("model.base has other tensors");
    }
    return differences;
  }

  private static JsonNode settings(String job) {
    return JsonMapper.shared().readTree(job);
  }

  private static String shown(JsonNode value) {
    return value.isMissingNode() ? "not set" : value.toString();
  }

  /**
   * Returns this run as the continuation of a checkpoint.
   *
   * @param checkpoint metadata of the checkpoint
   * @param step number of the checkpoint's step
   * @return this identity, with the extensions so far
   */
  RunIdentity continuing(Map<String, String> checkpoint, long step) {
    JsonNode oldJob = settings(checkpoint.getOrDefault(JOB, "{}"));
    JsonNode newJob = settings(job);
    String extensions = checkpoint.getOrDefault(EXTENDED, "");
    // With a constant learning rate, the steps so far are those of the longer run.
    boolean isAnotherRun =
        !oldJob.path(STEPS).equals(newJob.path(STEPS))
            && !newJob.path("schedule").asString("").equals("constant");
    String added = "%d of %d steps".formatted(step, oldJob.path(STEPS).asLong());
    return new RunIdentity(
        job,
        data,
        images,
        base,
        !isAnotherRun ? extensions : extensions.isEmpty() ? added : extensions + ", " + added);
  }
}

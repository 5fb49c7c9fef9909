package dev.nola.client.merge;

import dev.nola.client.merge.MergeRefusedException.Reason;
import dev.nola.client.peft.BaseConfig;
import dev.nola.client.peft.ConfigLabels;
import dev.nola.client.peft.HeadClass;
import dev.nola.client.peft.StatedHead;
import dev.nola.client.peft.TaskType;
import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.Model;
import dev.nola.format.AdapterFile;
import dev.nola.format.DenseTensor;
import java.nio.file.Files;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * The classifier that an adapter puts on the merged model: class, names of tensors and of classes.
 *
 * @param className class of Transformers that loads the merged model; null to leave the base's
 * @param labels names of the classes by number; empty if they are not known
 */
record MergedHead(@Nullable String className, List<String> labels) {
  private static final List<TaskType> HEAD_TASKS = List.of(TaskType.SEQ_CLS, TaskType.QUESTION_ANS);

  private static final String MODEL_TYPE = "model_type";

  private static final MergedHead NONE = new MergedHead(null, List.of());

  /**
   * Finds the head that adapters state. A base without {@code config.json} is only tensors, which
   * keep their names.
   *
   * @throws MergeRefusedException if no class of Transformers computes it, it is for another type
   *     of model, or adapters state different ones
   * @throws InvalidModelException if the base's config is not a JSON object
   */
  static MergedHead of(Model base, List<AdapterFile> adapters)
      throws InvalidModelException, MergeRefusedException {
    ObjectNode config = base.config();
    if (config == null) {
      return NONE;
    }
    MergedHead merged = NONE;
    for (AdapterFile adapter : adapters) {
      StatedHead stated = StatedHead.of(adapter.adapter());
      if (stated.problem() != null) {
        throw refusal(stated.problem());
      }
      if (stated.className() == null) {
        continue;
      }
      MergedHead head = new MergedHead(stated.className(), labels(stated, adapter, config));
      if (merged.className != null && !merged.equals(head)) {
        throw refusal("adapters bring different heads or labels");
      }
      merged = head;
    }
    String modelType = BaseConfig.of(base).modelType();
    HeadClass headClass = merged.headClass().orElse(null);
    if (headClass != null && modelType != null && !headClass.loads(modelType)) {
      throw refusal(
          "the head %s is for model_type %s, but that of %s is %s"
              .formatted(merged.className, headClass.modelType(), base.path(), modelType));
    }
    return merged;
  }

  /** Returns the stated names, or else those of the base's config, or else numbers. */
  private static List<String> labels(StatedHead stated, AdapterFile adapter, ObjectNode config) {
    HeadClass headClass = stated.headClass().orElse(null);
    if (!stated.labels().isEmpty() || headClass == null) {
      return stated.labels();
    }
    for (DenseTensor tensor : adapter.adapter().dense()) {
      if (tensor.name().equals(headClass.classifier() + ".weight") && !tensor.shape().isEmpty()) {
        int classes = tensor.shape().getFirst();
        List<String> labels = ConfigLabels.of(config, classes);
        return labels.isEmpty() ? ConfigLabels.numbered(classes) : labels;
      }
    }
    return List.of();
  }

  /**
   * Warns that Transformers cannot load a classifier that adapters bring without stating its class.
   *
   * @param base the base model
   * @param names of the tensors that the base does not have, or has in another shape
   * @return a warning, or empty
   */
  Optional<String> warning(Model base, Collection<String> names) {
    if (isStated() || !Files.exists(base.path().resolve(Model.CONFIG))) {
      return Optional.empty();
    }
    return names.stream()
        .filter(name -> HEAD_TASKS.stream().anyMatch(task -> task.headOf(name).isPresent()))
        .sorted()
        .findFirst()
        .map(
            name ->
                "%s: the config of the merged model names no class that has this head, so Transformers would initialize it randomly; set architectures and the number of labels in config.json"
                    .formatted(name));
  }

  private static MergeRefusedException refusal(String reason) {
    return new MergeRefusedException(
        Reason.HEAD, "the merged model could not be loaded by Transformers: " + reason);
  }

  /** Whether config and names of tensors differ from the base's. */
  boolean isStated() {
    return className != null;
  }

  private Optional<HeadClass> headClass() {
    return Optional.ofNullable(className).flatMap(HeadClass::ofName);
  }

  /** Returns a tensor's name in the merged model; empty if the model's class has no such tensor. */
  Optional<String> name(String tensor) {
    HeadClass headClass = headClass().orElse(null);
    return headClass == null ? Optional.of(tensor) : headClass.nameInModel(tensor);
  }

  /** Writes class and labels, by which AutoModel and pipelines load the model. */
  void write(ObjectNode config) {
    if (className == null) {
      return;
    }
    HeadClass headClass = headClass().orElse(null);
    if (headClass == HeadClass.TIMM_VIT) {
      writeForTimm(config);
      return;
    }
    config.putArray("architectures").add(className);
    if (headClass != null && config.has(MODEL_TYPE)) {
      config.put(MODEL_TYPE, headClass.modelType()); // another one for a base that MAE has trained
    }
    if (labels.isEmpty()) {
      return;
    }
    if (labels.size() > 1 && !labels.equals(ConfigLabels.of(config, labels.size()))) {
      config.put("problem_type", "single_label_classification");
    }
    config.put("num_labels", labels.size());
    ObjectNode names = config.putObject("id2label");
    ObjectNode numbers = config.putObject("label2id");
    for (int i = 0; i < labels.size(); i++) {
      names.put(Integer.toString(i), labels.get(i));
      numbers.put(labels.get(i), i);
    }
  }

  private void writeForTimm(ObjectNode config) {
    if (!labels.isEmpty()) {
      config.put("num_classes", labels.size());
      labels.forEach(config.putArray("label_names")::add);
    }
  }
}

package dev.nola.client.lora;

import dev.nola.client.peft.ConfigLabels;
import dev.nola.client.peft.HeadClass;
import dev.nola.client.peft.StatedHead;
import dev.nola.client.peft.TaskType;
import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DenseTensor;
import dev.nola.format.Limits;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The classification head that a LoRA brings, as far as its config and the base model tell.
 *
 * @param headClass class of Transformers that computes it
 * @param labels names of the classes by number; empty if they are not known
 */
record ImportedHead(HeadClass headClass, List<String> labels) {
  /**
   * Finds the head of a LoRA.
   *
   * @param config PEFT's config, whose task and class tell
   * @param base the base model, whose type and names of classes tell; null if it is not known
   * @param dense what PEFT stored whole
   * @param requested names of the classes; empty for those of the base model
   * @param notes receives what could not be found out
   * @param wrong receives why the requested names cannot be stated
   * @return the head; null if absent or of an unknown class
   * @throws InvalidModelException if the base model's config is not a JSON object
   */
  static @Nullable ImportedHead of(
      LoraConfig config,
      @Nullable NamedBase base,
      List<DenseTensor> dense,
      List<String> requested,
      List<String> notes,
      List<String> wrong)
      throws InvalidModelException {
    HeadClass headClass = headClass(config, base);
    int classes = headClass == null ? 0 : classes(headClass, base, dense);
    if (classes == 0) {
      if (!requested.isEmpty()) {
        wrong.add(
            "labels cannot be stated: %s"
                .formatted(
                    base == null && bringsHead(dense)
                        ? "the class of the classifier is not known without the base model"
                        : "it brings no classifier of a known class"));
      } else if (base == null && bringsHead(dense)) {
        notes.add(
            "the class of the classifier is not known without the base model, so the adapter does not state it");
      }
      return null;
    }
    if (!requested.isEmpty() && requested.size() != classes) {
      wrong.add(
          "labels do not match the classifier: %d labels, %d classes"
              .formatted(requested.size(), classes));
    }
    List<String> labels =
        !requested.isEmpty() || base == null
            ? requested
            : ConfigLabels.of(base.model().config(), classes);
    if (labels.isEmpty()) {
      notes.add(
          "the names of the %d classes are not known, so the adapter does not state them"
              .formatted(classes));
    }
    ImportedHead head = new ImportedHead(headClass, labels);
    if (head.provenance().values().stream()
        .anyMatch(value -> value.getBytes(StandardCharsets.UTF_8).length > Limits.TEXT_BYTES)) {
      if (requested.isEmpty()) {
        notes.add("the names of the classes are too long, so the adapter does not state them");
      } else {
        wrong.add(
            "labels too long; as JSON they must have at most %d bytes"
                .formatted(Limits.TEXT_BYTES));
      }
      return new ImportedHead(headClass, List.of());
    }
    return head;
  }

  /** Returns the provenance that states the head, as a trained adapter does. */
  Map<String, String> provenance() {
    return StatedHead.provenance(headClass, headClass.pooling(), labels);
  }

  private static boolean bringsHead(List<DenseTensor> dense) {
    return dense.stream().anyMatch(tensor -> TaskType.SEQ_CLS.headOf(tensor.name()).isPresent());
  }

  private static @Nullable HeadClass headClass(LoraConfig config, @Nullable NamedBase base) {
    String stated = config.json().path("auto_mapping").path("base_model_class").asString("");
    String task = config.text("task_type");
    String modelType = base == null ? null : base.config().modelType();
    for (HeadClass candidate : HeadClass.values()) {
      boolean isOfBase = candidate.modelType().equals(modelType);
      if (candidate.className().equals(stated) && (isOfBase || modelType == null)
          || isOfBase && candidate.task().name().equals(task)) {
        return candidate;
      }
    }
    return null;
  }

  /** Returns the number of classes; 0 if neither LoRA nor base has the classifier. */
  private static int classes(
      HeadClass headClass, @Nullable NamedBase base, List<DenseTensor> dense) {
    String weight = headClass.classifier() + ".weight";
    for (DenseTensor tensor : dense) {
      if (tensor.name().equals(weight)) {
        return tensor.shape().size() == 2 ? tensor.shape().getFirst() : 0;
      }
    }
    Tensor stored = base == null ? null : base.model().tensors().get(weight);
    return stored == null || stored.shape().size() != 2
        ? 0
        : Math.clamp(stored.shape().getFirst(), 0, Integer.MAX_VALUE); // may have no columns
  }
}

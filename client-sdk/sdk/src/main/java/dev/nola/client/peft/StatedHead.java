package dev.nola.client.peft;

import dev.nola.format.Adapter;
import dev.nola.format.DenseTensor;
import dev.nola.format.Metadata;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What an adapter's metadata state about its head (SPEC.md, section 4.1).
 *
 * @param className class of Transformers whose head it is; null if none is stated
 * @param pooling what the head sees of a sequence; null if it is not stated
 * @param labels names of the classes by number; empty if they are not stated
 * @param problem why no class of Transformers can compute the head; null if no reason is known
 */
public record StatedHead(
    @Nullable String className,
    @Nullable Pooling pooling,
    List<String> labels,
    @Nullable String problem) {
  /** Key of the class in the provenance. */
  public static final String HEAD = "head";

  /** Key of the pooling in the provenance. */
  public static final String POOLING = "pooling";

  /** Key of the classes' names in the provenance. */
  public static final String LABELS = "labels";

  /** Task of the adapters of versions that wrote none of these keys. */
  private static final String FORMER_TASK = "classification";

  private static final JsonMapper JSON = JsonMapper.shared();

  /** Copies the list. */
  public StatedHead {
    labels = List.copyOf(labels);
  }

  /**
   * Reads what an adapter states.
   *
   * @param adapter the adapter
   * @return what it states, never null
   */
  public static StatedHead of(Adapter adapter) {
    Metadata metadata = adapter.metadata();
    String className = metadata.provenance().get(HEAD);
    Pooling pooling = pooling(adapter);
    String labelText = metadata.provenance().get(LABELS);
    List<String> labels = labelText == null ? List.of() : labels(labelText);
    return new StatedHead(
        className, pooling, labels == null ? List.of() : labels, problem(adapter, pooling, labels));
  }

  /** Returns the pooling; the mean for classifiers of earlier versions, which did not state it. */
  private static @Nullable Pooling pooling(Adapter adapter) {
    String label = adapter.metadata().provenance().get(POOLING);
    if (label != null) {
      return Pooling.of(label).orElse(null);
    }
    boolean isFormer =
        adapter.metadata().task().equals(FORMER_TASK)
            && adapter.dense().stream()
                .anyMatch(tensor -> tensor.name().equals(HeadClass.BERT.classifier() + ".weight"));
    return isFormer ? Pooling.MEAN : null;
  }

  /** Returns the names, or null if the text is not a JSON array of distinct texts. */
  private static @Nullable List<String> labels(String json) {
    Set<String> labels = new LinkedHashSet<>();
    try {
      JsonNode array = JSON.readTree(json);
      for (JsonNode label : array) {
        if (!label.isString() || !labels.add(label.asString())) {
          return null;
        }
      }
      return array.isArray() && !labels.isEmpty() ? List.copyOf(labels) : null;
    } catch (JacksonException _) {
      return null;
    }
  }

  private static @Nullable String problem(
      Adapter adapter, @Nullable Pooling pooling, @Nullable List<String> labels) {
    Map<String, String> provenance = adapter.metadata().provenance();
    String className = provenance.get(HEAD);
    if (labels == null) {
      return "invalid provenance labels: %s; must be a JSON array of distinct texts"
          .formatted(provenance.get(LABELS));
    }
    String label = provenance.get(POOLING);
    if (label != null && pooling == null) {
      return "invalid provenance pooling: %s; must be cls, mean or last-token".formatted(label);
    }
    HeadClass known = className == null ? null : HeadClass.ofName(className).orElse(null);
    if (pooling == Pooling.MEAN && (known == null || !known.computes(pooling))) {
      return "its classifier sees the mean over all tokens, which no class of Transformers"
          + " computes; train with another model.pooling, such as the default";
    }
    if (className == null) {
      return labels.isEmpty()
          ? null
          : "its classifier belongs to no class of Transformers: it states labels, but no head";
    }
    if (known == null) {
      return null;
    }
    if (pooling != null && !known.computes(pooling)) {
      return "its pooling is %s, but %s computes %s"
          .formatted(pooling.label(), className, known.pooling().label());
    }
    for (DenseTensor tensor : adapter.dense()) {
      if (tensor.name().equals(known.classifier() + ".weight")
          && !labels.isEmpty()
          && !tensor.shape().isEmpty()
          && tensor.shape().getFirst() != labels.size()) {
        return "it states %d labels, but %s has shape %s"
            .formatted(labels.size(), tensor.name(), tensor.shape());
      }
    }
    return null;
  }

  /**
   * Returns the class of Transformers whose head it is, if Nola knows its names for tensors.
   *
   * @return the class, or empty
   */
  public Optional<HeadClass> headClass() {
    return Optional.ofNullable(className).flatMap(HeadClass::ofName);
  }

  /**
   * Returns the provenance that states a head.
   *
   * @param headClass class of Transformers whose head it is; null if none has it
   * @param pooling what the head sees of a sequence; null to leave it out
   * @param labels names of the classes by number; empty to leave them out
   * @return entries by key
   */
  public static Map<String, String> provenance(
      @Nullable HeadClass headClass, @Nullable Pooling pooling, List<String> labels) {
    Map<String, String> provenance = new LinkedHashMap<>();
    if (!labels.isEmpty()) {
      provenance.put(LABELS, JSON.writeValueAsString(labels));
    }
    if (headClass != null) {
      provenance.put(HEAD, headClass.className());
    }
    if (pooling != null) {
      provenance.put(POOLING, pooling.label());
    }
    return provenance;
  }
}

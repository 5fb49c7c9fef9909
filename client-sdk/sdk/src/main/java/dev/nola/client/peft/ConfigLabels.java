package dev.nola.client.peft;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The names of classes in a model's config ({@code id2label}). */
public final class ConfigLabels {
  private static final String NAMES = "id2label";

  private ConfigLabels() {}

  /**
   * Reads the names.
   *
   * @param config the model's config; null if absent
   * @param classes number of classes
   * @return names by number; empty unless there are exactly that many distinct ones
   */
  public static List<String> of(@Nullable JsonNode config, int classes) {
    if (config == null || config.path(NAMES).size() != classes) {
      return List.of();
    }
    List<String> labels = new ArrayList<>();
    for (int i = 0; i < classes; i++) {
      JsonNode label = config.path(NAMES).path(Integer.toString(i));
      if (!label.isString()) {
        return List.of();
      }
      labels.add(label.asString());
    }
    return Set.copyOf(labels).size() == classes ? List.copyOf(labels) : List.of();
  }

  /**
   * Returns Transformers' default names of classes.
   *
   * @param classes number of classes
   * @return {@code LABEL_0} and so on
   */
  public static List<String> numbered(int classes) {
    return IntStream.range(0, classes).mapToObj(i -> "LABEL_" + i).toList();
  }
}

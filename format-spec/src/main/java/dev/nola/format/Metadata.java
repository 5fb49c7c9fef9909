package dev.nola.format;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Descriptions of an adapter for people and catalogs. Reconstruction does not use them, and nothing
 * here may name a clock, a host or a path: equal training gives equal bytes.
 *
 * @param description free text
 * @param task what the adapter does, such as {@code text-classification}
 * @param license an SPDX licence expression
 * @param tags in ascending order
 * @param metrics finite values by name
 * @param provenance what the adapter was made from, as texts by key
 */
public record Metadata(
    String description,
    String task,
    String license,
    SortedSet<String> tags,
    SortedMap<String, Double> metrics,
    SortedMap<String, String> provenance) {
  /** Empty metadata. */
  public static final Metadata NONE =
      new Metadata("", "", "", new TreeSet<>(), new TreeMap<>(), new TreeMap<>());

  /**
   * Sorts and checks everything.
   *
   * @throws IllegalArgumentException if a text is too long, a name is empty, a metric is not
   *     finite, or there are more than {@link Limits#METADATA_ENTRIES} tags, metrics or provenance
   *     entries
   */
  public Metadata {
    Text.requireTextLength("description", description);
    Text.requireTextLength("task", task);
    Text.requireTextLength("license", license);
    TreeSet<String> sortedTags = new TreeSet<>(CodePointOrder::compare);
    sortedTags.addAll(tags);
    TreeMap<String, Double> sortedMetrics = new TreeMap<>(CodePointOrder::compare);
    metrics.forEach((name, value) -> sortedMetrics.put(name, finite(name, value)));
    TreeMap<String, String> sortedProvenance = new TreeMap<>(CodePointOrder::compare);
    sortedProvenance.putAll(provenance);
    DeclaredLimits.requireCount("tags", sortedTags.size(), Limits.METADATA_ENTRIES);
    DeclaredLimits.requireCount("metrics", sortedMetrics.size(), Limits.METADATA_ENTRIES);
    DeclaredLimits.requireCount(
        "provenance entries", sortedProvenance.size(), Limits.METADATA_ENTRIES);
    sortedTags.forEach(tag -> Text.requireName("tag", tag, 1));
    sortedMetrics.keySet().forEach(name -> Text.requireName("metric name", name, 1));
    sortedProvenance.keySet().forEach(key -> Text.requireName("provenance key", key, 1));
    sortedProvenance.values().forEach(value -> Text.requireTextLength("provenance value", value));
    tags = Collections.unmodifiableSortedSet(sortedTags);
    metrics = Collections.unmodifiableSortedMap(sortedMetrics);
    provenance = Collections.unmodifiableSortedMap(sortedProvenance);
  }

  /**
   * Returns metadata with texts only; the {@code with…} methods add the rest.
   *
   * @param description free text
   * @param task what the adapter does, such as {@code text-classification}
   * @param license an SPDX licence expression
   * @return the metadata
   * @throws IllegalArgumentException if a text is longer than {@link Limits#TEXT_BYTES}
   */
  public static Metadata of(String description, String task, String license) {
    return new Metadata(description, task, license, NONE.tags(), NONE.metrics(), NONE.provenance());
  }

  /**
   * Returns a copy with other tags.
   *
   * @param tags names, in any order
   * @return the copy
   * @throws IllegalArgumentException if a tag is empty or too long, or there are too many
   */
  public Metadata withTags(String... tags) {
    return new Metadata(
        description, task, license, new TreeSet<>(List.of(tags)), metrics, provenance);
  }

  /**
   * Returns a copy with other metrics.
   *
   * @param metrics finite values by name
   * @return the copy
   * @throws IllegalArgumentException if a name is empty or too long, a value is not finite, or
   *     there are too many
   */
  public Metadata withMetrics(Map<String, Double> metrics) {
    return new Metadata(description, task, license, tags, new TreeMap<>(metrics), provenance);
  }

  /**
   * Returns a copy with other provenance entries.
   *
   * @param provenance what the adapter was made from, as texts by key
   * @return the copy
   * @throws IllegalArgumentException if a key is empty, a text is too long, or there are too many
   */
  public Metadata withProvenance(Map<String, String> provenance) {
    return new Metadata(description, task, license, tags, metrics, new TreeMap<>(provenance));
  }

  private static double finite(String name, double value) {
    if (Rules.isBroken(Rule.METRIC_FINITE, Double.isFinite(value))) {
      throw new RuleViolation(
          Rule.METRIC_FINITE, "invalid metric " + name + ": " + value + "; must be finite");
    }
    return value + 0.0; // a negative zero would be lost in the file, where zero is the default
  }
}

package dev.nola.registry.pages;

import dev.nola.api.Contents;
import dev.nola.api.VersionDetails;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How two versions of an adapter differ.
 *
 * @param properties that differ
 * @param metrics results of both by name
 * @param layers of either version: those of the first in its order, then those that it lacks
 * @param added number of layers that the first version lacks
 * @param removed number of layers that the second version lacks
 */
record VersionDifference(
    List<Property> properties,
    List<Metric> metrics,
    List<LayerChange> layers,
    long added,
    long removed) {
  /**
   * What the versions state differently of themselves.
   *
   * @param name of the property, such as {@code generator}
   * @param from value of the first version, or an empty text
   * @param to value of the second version, or an empty text
   */
  record Property(String name, String from, String to) {}

  /**
   * Results of an evaluation.
   *
   * @param name of the metric
   * @param from result of the first version, or null
   * @param to result of the second version, or null
   */
  record Metric(String name, @Nullable Double from, @Nullable Double to) {
    /** Returns the second result less the first, or null if one is missing. */
    public @Nullable Double difference() {
      return from == null || to == null ? null : to - from;
    }
  }

  /**
   * A layer of either version.
   *
   * @param key of the layer
   * @param from layer of the first version, or null
   * @param to layer of the second version, or null
   */
  record LayerChange(
      LayerKey key, Contents.@Nullable LayerEntry from, Contents.@Nullable LayerEntry to) {
    /** Returns {@code added}, {@code removed}, the properties that differ, or an empty text. */
    public String change() {
      if (from == null) {
        return "added";
      }
      if (to == null) {
        return "removed";
      }
      List<String> changes = new ArrayList<>();
      add(changes, "view", from.rows() + "×" + from.cols(), to.rows() + "×" + to.cols());
      add(changes, "rank", from.rank(), to.rank());
      add(changes, "k", from.a().count(), to.a().count());
      add(changes, "l", count(from.b()), count(to.b()));
      add(changes, "bits", from.a().bits(), to.a().bits());
      add(changes, "stream", from.stream(), to.stream());
      if (!from.scale().equals(to.scale())) {
        changes.add("scale %s → %s".formatted(Show.scale(from), Show.scale(to)));
      }
      return String.join(", ", changes);
    }

    private static int count(Contents.@Nullable SideEntry side) {
      return side == null ? 0 : side.count();
    }

    private static void add(List<String> changes, String property, Object from, Object to) {
      if (!from.equals(to)) {
        changes.add("%s %s → %s".formatted(property, from, to));
      }
    }
  }

  private static List<Property> properties(Contents from, Contents to) {
    Map<String, String> first = properties(from);
    Map<String, String> second = properties(to);
    Set<String> names = new LinkedHashSet<>(first.keySet());
    names.addAll(second.keySet());
    return names.stream()
        .map(
            name -> new Property(name, first.getOrDefault(name, ""), second.getOrDefault(name, "")))
        .filter(property -> !property.from().equals(property.to()))
        .toList();
  }

  private static Map<String, String> properties(Contents file) {
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("base model", file.base().name());
    properties.put("base revision", file.base().revision());
    properties.put("base identity", Objects.toString(file.base().identity(), ""));
    properties.put("generator", file.generator());
    properties.put("seed", file.seed());
    properties.put("description", file.metadata().description());
    properties.put("task", file.metadata().task());
    properties.put("licence", file.metadata().license());
    properties.put("tags", String.join(", ", file.metadata().tags()));
    file.metadata()
        .provenance()
        .forEach((name, value) -> properties.put("provenance: " + name, value));
    return properties;
  }

  static VersionDifference of(VersionDetails from, VersionDetails to) {
    Map<String, Double> first = from.contents().metadata().metrics();
    Map<String, Double> second = to.contents().metadata().metrics();
    TreeSet<String> names = new TreeSet<>(first.keySet());
    names.addAll(second.keySet());
    Map<LayerKey, Contents.LayerEntry> others = new LinkedHashMap<>();
    to.contents().layers().forEach(layer -> others.put(LayerKey.of(layer), layer));
    List<LayerChange> layers = new ArrayList<>();
    for (Contents.LayerEntry layer : from.contents().layers()) {
      LayerKey key = LayerKey.of(layer);
      layers.add(new LayerChange(key, layer, others.remove(key)));
    }
    others.forEach((key, layer) -> layers.add(new LayerChange(key, null, layer)));
    return new VersionDifference(
        properties(from.contents(), to.contents()),
        names.stream().map(name -> new Metric(name, first.get(name), second.get(name))).toList(),
        List.copyOf(layers),
        layers.stream().filter(layer -> layer.from() == null).count(),
        layers.stream().filter(layer -> layer.to() == null).count());
  }
}

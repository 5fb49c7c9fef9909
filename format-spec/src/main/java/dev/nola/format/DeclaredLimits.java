package dev.nola.format;

import dev.nola.format.ManifestContent.Dense;
import dev.nola.format.ManifestContent.Group;
import dev.nola.format.ManifestContent.MetricEntry;
import dev.nola.format.ManifestContent.PropertyEntry;
import dev.nola.format.ManifestContent.Texts;
import java.util.List;

/**
 * Checks that everything that a manifest declares is within the limits of SPEC.md section 10 (rule
 * 10 of section 11), before anything is expanded.
 */
final class DeclaredLimits {
  private DeclaredLimits() {}

  /**
   * Checks a manifest.
   *
   * @param content what it says
   * @throws RuleViolation if it exceeds a limit
   */
  static void require(ManifestContent content) {
    requireLayers(content.groups());
    content.groups().forEach(DeclaredLimits::requireGroup);
    requireCount("dense tensors", content.dense(), Limits.DENSE_TENSORS);
    content.dense().forEach(DeclaredLimits::requireDense);
    Text.requireNameLength("base model name", content.base().name());
    Text.requireNameLength("base model revision", content.base().revision());
    requireMetadata(content.metadata());
  }

  private static void requireLayers(List<Group> groups) {
    requireCount("groups of layers", groups, Limits.LAYERS);
    long layers = 0;
    for (Group group : groups) {
      layers += group.count();
    }
    requireCount("layers", layers, Limits.LAYERS);
  }

  private static void requireGroup(Group group) {
    Text.requireNameLength("tensor name", longestName(group));
    Shapes.requireWithin(group.tensor(), group.shape());
  }

  /**
   * Returns the name of the group's last layer, which no other name of the group is longer than.
   */
  private static String longestName(Group group) {
    IndexedName name = IndexedName.of(group.tensor());
    return name.index() < 0 || group.count() < 2
        ? group.tensor()
        : name.withIndex(name.index() + group.count() - 1);
  }

  private static void requireDense(Dense dense) {
    Text.requireNameLength("dense tensor name", dense.name());
    Shapes.requireWithin(dense.name(), dense.shape());
    Shapes.requireDenseWithin(dense.name(), dense.shape());
  }

  private static void requireMetadata(Texts metadata) {
    Text.requireTextLength("description", metadata.description());
    Text.requireTextLength("task", metadata.task());
    Text.requireTextLength("license", metadata.license());
    requireCount("tags", metadata.tags(), Limits.METADATA_ENTRIES);
    requireCount("metrics", metadata.metrics(), Limits.METADATA_ENTRIES);
    requireCount("provenance entries", metadata.provenance(), Limits.METADATA_ENTRIES);
    for (String tag : metadata.tags()) {
      Text.requireNameLength("tag", tag);
    }
    for (MetricEntry metric : metadata.metrics()) {
      Text.requireNameLength("metric name", metric.name());
    }
    for (PropertyEntry property : metadata.provenance()) {
      Text.requireNameLength("provenance key", property.key());
      Text.requireTextLength("provenance value", property.value());
    }
  }

  private static void requireCount(String what, List<?> list, int limit) {
    requireCount(what, list.size(), limit);
  }

  /** Requires that there are at most {@code limit} of something. */
  static void requireCount(String what, long count, int limit) {
    if (Rules.isBroken(Rule.COUNT_LIMIT, what, count <= limit)) {
      throw new RuleViolation(
          Rule.COUNT_LIMIT, "too many %s: %d or more; limit is %d".formatted(what, count, limit));
    }
  }
}

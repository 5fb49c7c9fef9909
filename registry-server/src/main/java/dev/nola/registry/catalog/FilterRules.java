package dev.nola.registry.catalog;

import dev.nola.api.Violation;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.VersionNumber;
import dev.nola.generator.Generator;
import dev.nola.registry.web.Refusal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Rules of the values by which adapters and versions are selected. A value that none of them can
 * have is refused: an empty result would hide the mistake. Null selects all, and breaks no rule.
 */
final class FilterRules {
  private static final String GENERATORS =
      Arrays.stream(Generator.values()).map(Generator::label).collect(Collectors.joining(", "));

  private static final Pattern ADAPTER = Pattern.compile("[^/@]+/[^/@]+");

  private final List<Violation> violations = new ArrayList<>();

  FilterRules namespace(@Nullable String namespace) {
    return check(
        namespace == null || NameRule.NAMESPACE.isMet(namespace),
        "namespace",
        NameRule.NAMESPACE.message(String.valueOf(namespace)));
  }

  FilterRules generator(@Nullable String generator) {
    return check(
        generator == null || Generator.ofLabel(generator).isPresent(),
        "generator",
        "invalid generator: %s; must be one of %s".formatted(Refusal.shown(generator), GENERATORS));
  }

  FilterRules adapter(@Nullable String adapter) {
    return check(
        adapter == null || ADAPTER.matcher(adapter).matches(),
        "adapter",
        "invalid adapter: %s; must be namespace/name".formatted(Refusal.shown(adapter)));
  }

  FilterRules version(@Nullable String adapter, @Nullable String version) {
    return check(
            version == null || VersionNumber.find(version).isPresent(),
            "version",
            "invalid version: %s; must be a version number such as 1.0.0"
                .formatted(Refusal.shown(version)))
        .check(
            version == null || adapter != null,
            "version",
            "version is given without adapter; must name one");
  }

  FilterRules bits(@Nullable Integer bits) {
    return check(
        bits == null || bits >= 1 && bits <= Generator.MAX_BITS,
        "bits",
        "invalid bits: %d; must be 1 to %d".formatted(bits, Generator.MAX_BITS));
  }

  FilterRules rank(@Nullable Integer rank) {
    return check(
        rank == null || rank >= 0,
        "rank",
        "invalid rank: %d; must be at least 1, or 0 for the direct form".formatted(rank));
  }

  FilterRules tags(@Nullable List<String> tags) {
    for (String tag : tags == null ? List.<String>of() : tags) {
      check(CatalogRules.isTag(tag), "tag", CatalogRules.tagMessage(tag));
    }
    return this;
  }

  /**
   * Requires that no rule is broken.
   *
   * @throws Refusal with status 422 that names every rule which is
   */
  void require() {
    if (!violations.isEmpty()) {
      throw Refusal.invalid(violations);
    }
  }

  private FilterRules check(boolean met, String field, String message) {
    if (!met) {
      violations.add(new Violation(field, message));
    }
    return this;
  }
}

package dev.nola.registry.catalog;

import dev.nola.api.Violation;
import dev.nola.api.name.NameRule;
import dev.nola.format.Adapter;
import dev.nola.format.Metadata;
import dev.nola.registry.web.Refusal;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Rules of the catalog beyond those of the format, so that adapters can be found and cited. */
final class CatalogRules {
  static final int MAX_DESCRIPTION = 4_000;

  private static final Pattern TAG = Pattern.compile("[\\p{L}\\p{N}][\\p{L}\\p{N} ._+:/-]{0,49}");
  private static final Pattern LICENSE = Pattern.compile("[A-Za-z0-9.+() -]{0,200}");
  private static final int MAX_TASK = 100;
  private static final int MAX_TAGS = 20;
  private static final int MAX_ENTRIES = 200;

  private final List<Violation> violations = new ArrayList<>();

  private CatalogRules() {}

  /**
   * Checks all rules.
   *
   * @param size of the file in bytes
   * @param room that the namespace's quota leaves
   * @throws Refusal that names every rule which is broken
   */
  static void require(Publisher.Target target, Adapter adapter, long size, long room) {
    CatalogRules rules = new CatalogRules();
    rules.check(target);
    rules.check(adapter.metadata());
    if (size > room) {
      rules.broken(Quota.REFUSED, Quota.exceeded(target.adapter().namespace(), size, room));
    }
    rules.requireNone();
  }

  /**
   * Checks name and number only.
   *
   * @throws Refusal that names every rule which is broken
   */
  static void requireLegal(Publisher.Target target) {
    CatalogRules rules = new CatalogRules();
    rules.check(target);
    rules.requireNone();
  }

  /** Returns whether a text can be a tag. */
  static boolean isTag(String text) {
    return TAG.matcher(text).matches();
  }

  /** Returns the message that a text cannot be a tag. */
  static String tagMessage(String text) {
    return "invalid tag: %s; must be 1 to 50 letters, digits, spaces and . _ + : / -, the first a letter or digit"
        .formatted(Refusal.shown(text));
  }

  private void requireNone() {
    if (!violations.isEmpty()) {
      throw Refusal.invalid(violations);
    }
  }

  private void check(Publisher.Target target) {
    check(NameRule.NAME, target.adapter().name());
    check(NameRule.VERSION, target.version());
  }

  private void check(NameRule rule, String text) {
    if (!rule.isMet(text)) {
      broken(rule.field(), rule.message(text));
    }
  }

  private void check(Metadata metadata) {
    checkLength("metadata.description", metadata.description(), MAX_DESCRIPTION);
    checkLength("metadata.task", metadata.task(), MAX_TASK);
    if (!LICENSE.matcher(metadata.license()).matches()) {
      broken(
          "metadata.license",
          "invalid license: %s; must be an SPDX licence expression such as Apache-2.0, of at most 200 characters"
              .formatted(Refusal.shown(metadata.license())));
    }
    checkCount("metadata.tags", metadata.tags().size(), MAX_TAGS);
    checkCount("metadata.metrics", metadata.metrics().size(), MAX_ENTRIES);
    checkCount("metadata.provenance", metadata.provenance().size(), MAX_ENTRIES);
    for (String tag : metadata.tags()) {
      if (!isTag(tag)) {
        broken("metadata.tags", tagMessage(tag));
      }
    }
  }

  private void checkLength(String field, String text, int limit) {
    if (text.length() > limit) {
      broken(field, "%s has %d characters; the limit is %d".formatted(field, text.length(), limit));
    }
  }

  private void checkCount(String field, int count, int limit) {
    if (count > limit) {
      broken(field, "%s has %d entries; the limit is %d".formatted(field, count, limit));
    }
  }

  private void broken(String field, String rule) {
    violations.add(new Violation(field, rule));
  }
}

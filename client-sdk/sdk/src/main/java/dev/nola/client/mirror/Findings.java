package dev.nola.client.mirror;

import dev.nola.digest.Sha256;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/** Collects what a {@link MirrorReport} says. */
final class Findings {
  private final List<String> changes = new ArrayList<>();
  private final SortedSet<Sha256> unapproved = new TreeSet<>();
  private final List<String> warnings = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();

  void change(String format, Object... values) {
    changes.add(format.formatted(values));
  }

  void unapproved(Collection<Sha256> keys) {
    unapproved.addAll(keys);
  }

  void warning(String sentence) {
    warnings.add(sentence);
  }

  void problem(String sentence) {
    problems.add(sentence);
  }

  MirrorReport report(String subject) {
    return new MirrorReport(
        subject,
        List.copyOf(changes),
        Collections.unmodifiableSortedSet(unapproved),
        List.copyOf(warnings),
        List.copyOf(problems));
  }
}

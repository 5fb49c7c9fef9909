package dev.nola.client.export;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Modules of experts that the loaded model has as one parameter, with those of all other experts.
 * PEFT puts the LoRAs of a checkpoint's experts together, if there is one of every expert in every
 * layer.
 */
final class FusedExperts {
  private static final Pattern EXPERT =
      Pattern.compile("(?<layer>.+\\.experts)\\.\\d+\\.(?<part>\\w+)");

  /** Parts of an expert that the loaded model has side by side in one parameter. */
  private static final List<Set<String>> FUSED =
      List.of(Set.of("gate_proj", "up_proj"), Set.of("w1", "w3"));

  private FusedExperts() {}

  /**
   * Finds LoRAs that PEFT could not put together.
   *
   * @param adapted paths of the modules that have a LoRA
   * @param known paths of all modules of the base model
   * @param wrong receives a sentence for each part of the experts of which some have no LoRA, and
   *     for each other module that PEFT would take for one of the experts'
   */
  static void requireAll(Set<String> adapted, Collection<String> known, List<String> wrong) {
    Set<String> parts = new TreeSet<>();
    for (String path : adapted) {
      Matcher expert = EXPERT.matcher(path);
      if (expert.matches()) {
        parts.add(expert.group("part"));
      }
    }
    for (Set<String> fused : FUSED) {
      if (fused.stream().anyMatch(parts::contains)) {
        parts.addAll(fused);
      }
    }
    for (String part : parts) {
      List<String> missing =
          known.stream().filter(path -> isExpert(path, part) && !adapted.contains(path)).toList();
      if (!missing.isEmpty()) {
        wrong.add(
            "%s: has no LoRA; transformers loads %s of all experts as one parameter, which PEFT adapts in every layer or in none (missing: %d)"
                .formatted(missing.getFirst(), part, missing.size()));
      }
    }
    for (String path : adapted) {
      String last = path.substring(path.lastIndexOf('.') + 1);
      if (parts.contains(last) && !isExpert(path, last)) {
        wrong.add(
            "%s: PEFT would take it for %s of the experts, which transformers loads as one parameter"
                .formatted(path, last));
      }
    }
  }

  private static boolean isExpert(String path, String part) {
    Matcher expert = EXPERT.matcher(path);
    return expert.matches() && expert.group("part").equals(part);
  }
}

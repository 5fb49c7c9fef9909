package dev.nola.client.export.peft;

import dev.nola.format.Metadata;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** The parts of model cards that do not depend on the form of the adapter. */
final class CardText {
  private CardText() {}

  /**
   * Adds the metadata that the Hugging Face Hub reads.
   *
   * @param metadata of the adapter
   * @param kind what else it says
   * @param lines receives the YAML, and an empty line
   */
  static void addHead(Metadata metadata, Kind kind, List<String> lines) {
    lines.add("---");
    if (kind.base != null) {
      lines.add("base_model: " + quoted(kind.base));
    }
    lines.add("library_name: " + kind.library);
    if (!metadata.license().isEmpty()) {
      lines.add("license: " + quoted(metadata.license().toLowerCase(Locale.ROOT)));
    }
    if (kind.task != null) {
      lines.add("pipeline_tag: " + quoted(kind.task));
    }
    lines.add("tags:");
    kind.tags.forEach(tag -> lines.add("- " + tag));
    Set<String> others = new LinkedHashSet<>(metadata.tags());
    kind.tags.forEach(others::remove);
    others.forEach(tag -> lines.add("- " + quoted(tag)));
    lines.add("---");
    lines.add("");
  }

  /**
   * What the metadata says beside the adapter's own.
   *
   * @param library that loads the repository
   * @param base name of the base model; null if it is not known
   * @param task a task of the Hub; null for none
   * @param tags of every such repository
   */
  record Kind(String library, @Nullable String base, @Nullable String task, List<String> tags) {}

  /**
   * Adds a title and the adapter's description.
   *
   * @param title what the repository holds
   * @param base name of the base model; null if it is not known
   * @param metadata of the adapter
   * @param lines receives the Markdown, and an empty line
   */
  static void addTitle(String title, @Nullable String base, Metadata metadata, List<String> lines) {
    lines.add("# " + title + (base == null ? "" : " for " + oneLine(base)));
    lines.add("");
    if (!metadata.description().isEmpty()) {
      metadata.description().lines().map(line -> "> " + line).forEach(lines::add);
      lines.add("");
    }
  }

  /** Replaces line breaks by spaces. */
  static String oneLine(String text) {
    return text.replaceAll("\\R", " ");
  }

  /** Returns a JSON string, which is one of YAML and of Python too. */
  static String quoted(String text) {
    return JsonMapper.shared().writeValueAsString(text);
  }
}

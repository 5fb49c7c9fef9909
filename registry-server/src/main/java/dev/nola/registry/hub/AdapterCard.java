package dev.nola.registry.hub;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Metadata;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;

/** Writes the README.md of a repository without a LoRA: what the file is, and why it is alone. */
final class AdapterCard {
  private AdapterCard() {}

  /**
   * Writes the card.
   *
   * @param file the adapter
   * @param reason why no LoRA is made of it; may have several lines
   * @return the text, UTF-8
   */
  static byte[] of(AdapterFile file, String reason) {
    Adapter adapter = file.adapter();
    Metadata metadata = adapter.metadata();
    String base = adapter.base().name();
    List<String> lines = new ArrayList<>();
    lines.add("---");
    if (!base.isEmpty()) {
      lines.add("base_model: " + quoted(base));
    }
    lines.add("library_name: nola");
    lines.add("tags:");
    lines.add("- nola");
    metadata.tags().stream()
        .filter(tag -> !tag.equals("nola"))
        .forEach(tag -> lines.add("- " + quoted(tag)));
    lines.add("---");
    lines.add("");
    lines.add("# Nola adapter" + (base.isEmpty() ? "" : " for " + base.replaceAll("\\R", " ")));
    lines.add("");
    if (!metadata.description().isEmpty()) {
      metadata.description().lines().map(line -> "> " + line).forEach(lines::add);
      lines.add("");
    }
    lines.add(
        "This repository has `adapter.nola` alone, without `adapter_config.json` and"
            + " `adapter_model.safetensors`, since no LoRA can be made of it:");
    lines.add("");
    lines.add("```");
    reason.lines().map(line -> line.replace("```", "'''")).forEach(lines::add);
    lines.add("```");
    lines.add("");
    lines.add("`nola merge` adds it to its base model, whatever its form:");
    lines.add("");
    lines.add("```sh");
    lines.add("nola merge --base path/to/the/base/model --adapter adapter.nola -o merged");
    lines.add("```");
    lines.add("");
    return String.join("\n", lines).getBytes(StandardCharsets.UTF_8);
  }

  /** A JSON string, which is one of YAML, too. */
  private static String quoted(String text) {
    return JsonMapper.shared().writeValueAsString(text);
  }
}

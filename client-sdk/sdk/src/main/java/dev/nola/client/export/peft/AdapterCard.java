package dev.nola.client.export.peft;

import dev.nola.client.peft.TaskType;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Metadata;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Writes the model card of a repository that has an adapter's file and no LoRA. */
public final class AdapterCard {
  private AdapterCard() {}

  /**
   * Writes the card.
   *
   * @param file the adapter
   * @param reason why no LoRA is made of it; may have several lines
   * @return the text, UTF-8
   */
  public static byte[] of(AdapterFile file, String reason) {
    Adapter adapter = file.adapter();
    Metadata metadata = adapter.metadata();
    String base = adapter.base().name().isEmpty() ? null : adapter.base().name();
    String task = TaskType.ofTask(metadata.task()).isPresent() ? metadata.task() : null;
    List<String> lines = new ArrayList<>();
    CardText.addHead(metadata, new CardText.Kind("nola", base, task, List.of("nola")), lines);
    CardText.addTitle("Nola adapter", base, metadata, lines);
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
}

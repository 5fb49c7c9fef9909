package dev.nola.client.lora;

import dev.nola.client.peft.HubName;
import dev.nola.client.peft.TaskType;
import dev.nola.digest.Sha256;
import dev.nola.format.BaseModel;
import dev.nola.format.Limits;
import dev.nola.format.Metadata;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Derives an adapter's base model, task and provenance from the config of a LoRA. */
final class LoraDescription {
  private static final Pattern REVISION = Pattern.compile("[A-Za-z0-9][\\w./-]{0,127}");
  private static final Pattern VERSION = Pattern.compile("[0-9A-Za-z.+-]{1,64}");

  private final LoraConfig config;

  LoraDescription(LoraConfig config) {
    this.config = config;
  }

  /**
   * Returns the base model. A name that may be a local path is left out, because it would reveal
   * something about a machine.
   *
   * @param identity null if it is not known
   * @param notes receives a sentence if the name was left out
   */
  BaseModel base(@Nullable Sha256 identity, List<String> notes) {
    String name = config.text("base_model_name_or_path");
    if (name == null || name.isEmpty()) {
      return new BaseModel("", "", identity);
    }
    if (!HubName.isMeant(name) || isFolder(name)) {
      notes.add(
          "base_model_name_or_path is a path, not the name of a model, so the adapter does not name its base model");
      return new BaseModel("", "", identity);
    }
    String revision = config.text("revision");
    return new BaseModel(
        name, revision != null && REVISION.matcher(revision).matches() ? revision : "", identity);
  }

  /** Returns whether a name is that of a folder, seen from the LoRA. */
  private boolean isFolder(String name) {
    return Files.isDirectory(config.path().resolveSibling(name))
        || Files.isDirectory(config.path().toAbsolutePath().getParent().resolveSibling(name));
  }

  /**
   * Returns task and provenance.
   *
   * @param keys the modules that have a LoRA
   * @param types the types of the factors
   * @param bits width of a code
   * @param source digest of PEFT's file
   * @param head the classification head; null if it is not known
   */
  Metadata metadata(
      Collection<String> keys,
      Set<String> types,
      int bits,
      Sha256 source,
      @Nullable ImportedHead head) {
    Map<String, String> provenance = new TreeMap<>();
    if (head != null) {
      provenance.putAll(head.provenance());
    }
    provenance.put("method", "lora");
    provenance.put("peft_type", "LORA");
    provenance.put("rank", distinct(keys.stream().map(key -> (double) config.rank(key)).toList()));
    provenance.put("alpha", distinct(keys.stream().map(config::alpha).toList()));
    if (config.isRankStabilized()) {
      provenance.put("rslora", "true");
    }
    provenance.put("bits", Integer.toString(bits));
    provenance.put("factor type", String.join(", ", types));
    provenance.put("source", source.toString());
    String version = config.text("peft_version");
    if (version != null && VERSION.matcher(version).matches()) {
      provenance.put("peft_version", version);
    }
    return Metadata.of("", head == null ? task() : head.headClass().task().task(), "")
        .withTags("lora")
        .withProvenance(provenance);
  }

  private String task() {
    String stated = config.text("task_type");
    for (TaskType type : TaskType.values()) {
      if (type.name().equals(stated)) {
        return type.task();
      }
    }
    return "";
  }

  private static String distinct(List<Double> values) {
    List<String> texts = new ArrayList<>();
    int length = 0;
    for (double value : new TreeSet<>(values)) {
      String text = value == (long) value ? Long.toString((long) value) : Double.toString(value);
      length += text.length() + 2;
      if (length > Limits.NAME_BYTES) {
        texts.add("…");
        break;
      }
      texts.add(text);
    }
    return String.join(", ", texts);
  }
}

package dev.nola.client.export.peft;

import dev.nola.client.export.ExportPlan;
import dev.nola.client.export.ExportSource;
import dev.nola.client.export.RoundingError;
import dev.nola.client.peft.StatedHead;
import dev.nola.client.peft.TaskType;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** Writes {@value #FILE}: what the LoRA is of, how to load it, and where it comes from. */
record ModelCard(ExportSource source, DType dtype, ExportPlan plan, RoundingError error) {
  static final String FILE = "README.md";

  /** What an import notes of the LoRA that it read, and an export may have otherwise. */
  private static final Set<String> ORIGINAL =
      Set.of("alpha", "factor type", "peft_version", "rank", "rslora");

  private static final List<String> TAGS = List.of("lora", "nola");

  String text() {
    AdapterFile file = source.file();
    String baseName = source.name().name();
    Adapter adapter = file.adapter();
    Metadata metadata = adapter.metadata();
    List<String> lines = new ArrayList<>();
    CardText.addHead(metadata, new CardText.Kind("peft", baseName, task(), TAGS), lines);
    CardText.addTitle("LoRA", baseName, metadata, lines);
    usage(baseName, lines);
    lines.add("## Provenance");
    lines.add("");
    boolean isLora = adapter.generator() == Generator.IDENTITY;
    lines.add(
        isLora
            ? "Exported from a Nola file that holds a LoRA, quantized."
            : "Exported from a [NOLA](https://arxiv.org/abs/2310.02556) adapter.");
    lines.add("");
    lines.add("| | |");
    lines.add("|---|---|");
    row(lines, "adapter file", Sha256.hash(file.toBytes()).toString());
    row(lines, "reconstruction digest", file.reconstructionDigest().toString());
    row(lines, "generator", adapter.generator().label());
    if (!isLora) {
      row(lines, "seed", "0x%016x".formatted(adapter.seed()));
    }
    if (adapter.base().identity() != null) {
      row(lines, "adapted tensors of the base model", adapter.base().identity().toString());
    }
    row(lines, "modules", "%d of rank %d at most".formatted(plan.modules().size(), plan.rank()));
    row(lines, "type of the factors", dtype.name());
    row(
        lines,
        "largest error from rounding to this type",
        dtype == DType.F32
            ? "none"
            : String.format(
                Locale.ROOT,
                "%.2e of the norm of the change, in %s",
                error.error(),
                error.module()));
    metadata.metrics().forEach((name, value) -> row(lines, name, value.toString()));
    metadata
        .provenance()
        .forEach(
            (key, value) ->
                row(
                    lines,
                    isLora && ORIGINAL.contains(key) ? key + " of the original LoRA" : key,
                    value));
    lines.add("");
    return String.join("\n", lines);
  }

  private @Nullable String task() {
    String stated = source.adapter().metadata().task();
    if (TaskType.ofTask(stated).isPresent()) {
      return stated;
    }
    return source.task() == null ? null : source.task().task();
  }

  private void usage(@Nullable String baseName, List<String> lines) {
    TaskType task = source.task();
    String loader = (task == null ? TaskType.CAUSAL_LM : task).autoClass();
    String base = CardText.quoted(baseName == null ? "path/to/the/base/model" : baseName);
    lines.add("```python");
    lines.add("from peft import PeftModel");
    lines.add("from transformers import " + loader);
    lines.add("");
    List<String> labels = StatedHead.of(source.adapter()).labels();
    if (labels.isEmpty()) {
      lines.add("base = %s.from_pretrained(%s)".formatted(loader, base));
    } else {
      lines.add("labels = " + JsonMapper.shared().writeValueAsString(labels));
      lines.add("base = %s.from_pretrained(".formatted(loader));
      lines.add("    %s,".formatted(base));
      lines.add("    id2label=dict(enumerate(labels)),");
      lines.add("    label2id={label: i for i, label in enumerate(labels)},");
      lines.add(")");
    }
    lines.add("model = PeftModel.from_pretrained(base, \"path/to/this/folder\")");
    lines.add("```");
    lines.add("");
  }

  private static void row(List<String> lines, String name, String value) {
    lines.add("| %s | %s |".formatted(cell(name), cell(value)));
  }

  private static String cell(String text) {
    return CardText.oneLine(text).replace("|", "\\|");
  }
}

package dev.nola.client.export.gguf;

import dev.nola.client.export.ExportFormat;
import dev.nola.client.export.ExportLayout;
import dev.nola.client.export.ExportPlan;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.ExportRefusedException.Reason;
import dev.nola.client.export.ExportSource;
import dev.nola.client.export.LoraExport;
import dev.nola.client.export.LoraModule;
import dev.nola.client.peft.ModulePaths;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/**
 * A LoRA for llama.cpp and Ollama: one file.
 *
 * <p>It needs the base model's config: the names depend on the model's type, and of Llama and
 * Mistral the rows of lora_b are permuted as the converter permutes the weights of queries and
 * keys. All modules have one rank, smaller ones padded with zeros, because llama.cpp divides one
 * alpha by the rank of each. Refused are dense tensors, embeddings, an output that is the input
 * embedding, and modules that llama.cpp does not have.
 */
public final class GgufFormat implements ExportFormat {
  @Override
  public String title() {
    return "GGUF LoRA";
  }

  @Override
  public void check(ExportSource source, List<String> wrong) {
    source.requireLinearModules(title(), wrong);
  }

  @Override
  public ExportLayout layout(ExportSource source, ExportPlan plan, Findings findings)
      throws IOException, ExportRefusedException {
    ObjectNode config = source.base() == null ? null : source.base().config();
    String type = source.config().modelType();
    if (type == null || config == null) {
      throw new ExportRefusedException(
          Reason.ARCHITECTURE,
          "a GGUF LoRA needs the base model's config, which says its type and heads: "
              + (source.base() == null ? LoraExport.NO_BASE : "it states no model_type"));
    }
    Architecture architecture =
        Architecture.ofType(type)
            .orElseThrow(
                () ->
                    new ExportRefusedException(
                        Reason.ARCHITECTURE,
                        "base model of type %s cannot have a GGUF LoRA; must be one of %s"
                            .formatted(type, Architecture.types())));
    boolean isTied = source.mayTieEmbeddings();
    int heads = config.path("num_attention_heads").asInt(0);
    int keyHeads = config.path("num_key_value_heads").asInt(heads);
    if (architecture.permutesRows() && (heads < 1 || keyHeads < 1)) {
      // Without them, rows would keep their order, and the LoRA would have another effect.
      throw new ExportRefusedException(
          Reason.ARCHITECTURE,
          "a GGUF LoRA for a model of type %s needs num_attention_heads in the base model's config"
              .formatted(type));
    }
    List<GgufLayout.Target> targets = new ArrayList<>();
    for (LoraModule module : plan.modules()) {
      Optional<String> tensor = architecture.tensor(module.path());
      if (tensor.isEmpty()) {
        findings
            .wrong()
            .add(
                "%s: llama.cpp has no such linear module in a model of type %s"
                    .formatted(module.path(), type));
      } else if (isTied && ModulePaths.isOutputEmbedding(module.path())) {
        findings
            .wrong()
            .add(
                module.path()
                    + ": is the input embedding in the base model, so llama.cpp has no such weight");
      } else {
        int permuted = architecture.permutedHeads(tensor.get(), heads, keyHeads);
        if (permuted > 0 && module.out() % (2 * permuted) != 0) {
          findings
              .wrong()
              .add(
                  "%s: has %d outputs; must be a multiple of twice the %d heads of the base model"
                      .formatted(module.path(), module.out(), permuted));
        }
        targets.add(new GgufLayout.Target(tensor.get(), permuted));
      }
    }
    return new GgufLayout(source, plan.uniform(), architecture.name(), List.copyOf(targets));
  }
}

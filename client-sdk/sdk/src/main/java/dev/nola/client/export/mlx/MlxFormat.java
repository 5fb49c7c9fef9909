package dev.nola.client.export.mlx;

import dev.nola.client.export.ExportFormat;
import dev.nola.client.export.ExportLayout;
import dev.nola.client.export.ExportPlan;
import dev.nola.client.export.ExportSource;
import dev.nola.client.export.LoraExport;
import dev.nola.client.export.LoraModule;
import dev.nola.client.peft.ModulePaths;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/**
 * A LoRA for mlx-lm, on Apple's processors: a folder.
 *
 * <p>All modules have one rank, smaller ones padded with zeros, as mlx-lm has one for all. Refused
 * are dense tensors, embeddings, and an output that may be the input embedding.
 */
public final class MlxFormat implements ExportFormat {
  private static final String GPT2 = "gpt2";

  /** Keys of the number of layers in configs of Transformers. */
  private static final List<String> LAYERS = List.of("num_hidden_layers", "n_layer");

  @Override
  public String title() {
    return "LoRA for mlx-lm";
  }

  @Override
  public void check(ExportSource source, List<String> wrong) {
    source.requireLinearModules(title(), wrong);
  }

  @Override
  public ExportLayout layout(ExportSource source, ExportPlan plan, Findings findings)
      throws IOException {
    boolean isGpt2 = GPT2.equals(source.config().modelType());
    boolean mayBeTied = source.mayTieEmbeddings();
    List<String> names = new ArrayList<>();
    for (LoraModule module : plan.modules()) {
      String path = module.path();
      if (mayBeTied && ModulePaths.isOutputEmbedding(path)) {
        findings
            .wrong()
            .add(
                source.base() == null
                    ? "%s: may be the input embedding, of which mlx-lm makes no LoRA; if the base model ties none, %s"
                        .formatted(path, LoraExport.NAME_BASE)
                    : path + ": is the input embedding in the base model");
      }
      names.add(isGpt2 ? path.replaceFirst("^transformer\\.", "model.") : path);
    }
    return new MlxLayout(plan.uniform(), List.copyOf(names), layers(source));
  }

  /** Returns the number of layers of the base model; 0 if it is not known. */
  private static int layers(ExportSource source) throws IOException {
    ObjectNode config = source.base() == null ? null : source.base().config();
    if (config == null) {
      return 0;
    }
    return LAYERS.stream()
        .filter(config::has)
        .mapToInt(key -> config.path(key).asInt(0))
        .findFirst()
        .orElse(0);
  }
}

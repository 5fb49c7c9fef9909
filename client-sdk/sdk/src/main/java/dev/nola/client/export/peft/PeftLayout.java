package dev.nola.client.export.peft;

import dev.nola.client.export.ExportLayout;
import dev.nola.client.export.ExportPlan;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.ExportSource;
import dev.nola.client.export.RoundedFactors;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.format.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Writes the folder: the config, the rounded factors with the modules saved whole, and the card.
 */
record PeftLayout(ExportSource source, ExportPlan plan, SavedModules modules)
    implements ExportLayout {
  @Override
  public long bytes(DType dtype) {
    return plan.bytes(dtype)
        + modules.tensors().stream().mapToLong(tensor -> tensor.slot().bytes()).sum();
  }

  @Override
  public int saved() {
    return modules.paths().size();
  }

  @Override
  public List<String> write(Path folder, RoundedFactors factors)
      throws IOException, ExportRefusedException, InterruptedException {
    Files.createDirectory(folder);
    writeWeights(folder.resolve(PeftFormat.WEIGHTS), factors);
    AdapterConfig config = new AdapterConfig(source, plan, modules);
    Files.write(folder.resolve(AdapterConfig.FILE), config.toJson());
    ModelCard card = new ModelCard(source, factors.dtype(), plan, factors.error());
    Files.writeString(folder.resolve(ModelCard.FILE), card.text());
    return List.of(AdapterConfig.FILE, PeftFormat.WEIGHTS, ModelCard.FILE);
  }

  private void writeWeights(Path file, RoundedFactors factors)
      throws IOException, ExportRefusedException, InterruptedException {
    PeftWeights weights = new PeftWeights(plan, modules, factors.dtype());
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, weights.header())) {
      for (PeftWeights.Part part : weights.tensors()) {
        try (Arena arena = Arena.ofConfined()) {
          writer.write(part.offset(), weights.make(part, factors, arena));
        }
        factors.wrote(part.bytes());
      }
    }
  }
}

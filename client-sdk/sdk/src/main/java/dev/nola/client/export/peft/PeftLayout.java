package dev.nola.client.export.peft;

import dev.nola.client.export.ExportLayout;
import dev.nola.client.export.ExportPlan;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.ExportSource;
import dev.nola.client.export.LoraModule;
import dev.nola.client.export.RoundedFactors;
import dev.nola.client.peft.PeftFiles;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

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
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(file, slots(factors.dtype()), Map.of("format", "pt"))) {
      factors.write(
          plan,
          lora -> {
            String keyOfA = key(lora.module(), "A");
            String keyOfB = key(lora.module(), "B");
            factors.encode(lora.a(), bytes -> writer.write(keyOfA, bytes));
            factors.encode(lora.b(), bytes -> writer.write(keyOfB, bytes));
          });
      for (SavedTensor tensor : modules.tensors()) {
        writer.write(tensor.slot().name(), tensor.data());
        factors.wrote(tensor.data().byteSize());
      }
    }
  }

  private List<Slot> slots(DType dtype) {
    List<Slot> slots = new ArrayList<>();
    for (LoraModule module : plan.modules()) {
      long rank = plan.rankOf(module);
      slots.add(slot(key(module, "A"), dtype, rank, module.in()));
      slots.add(slot(key(module, "B"), dtype, module.out(), rank));
    }
    modules.tensors().forEach(tensor -> slots.add(tensor.slot()));
    return slots;
  }

  private static Slot slot(String key, DType dtype, long rows, long cols) {
    return new Slot(key, dtype.name(), List.of(rows, cols), rows * cols * dtype.bytes());
  }

  private static String key(LoraModule module, String factor) {
    String name =
        module.kind() == LoraModule.Kind.EMBEDDING
            ? ".lora_embedding_" + factor
            : ".lora_" + factor + ".weight";
    return PeftFiles.KEY_PREFIX + module.path() + name;
  }
}

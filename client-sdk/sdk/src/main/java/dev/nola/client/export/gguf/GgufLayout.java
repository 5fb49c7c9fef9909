package dev.nola.client.export.gguf;

import dev.nola.client.export.ExportLayout;
import dev.nola.client.export.ExportPlan;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.ExportSource;
import dev.nola.client.export.LoraModule;
import dev.nola.client.export.RoundedFactors;
import dev.nola.client.gguf.GgmlType;
import dev.nola.client.gguf.GgufWriter;
import dev.nola.client.gguf.GgufWriter.Slot;
import dev.nola.client.gguf.LlamaLayout;
import dev.nola.format.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * Writes the file.
 *
 * @param plan of one rank
 * @param architecture llama.cpp's name of the base model's type
 * @param targets of the plan's modules, in their order
 */
record GgufLayout(ExportSource source, ExportPlan plan, String architecture, List<Target> targets)
    implements ExportLayout {
  /**
   * A weight of the base model.
   *
   * @param tensor its name
   * @param permutedHeads heads of which the rows are permuted; 0 if the rows keep their order
   */
  record Target(String tensor, int permutedHeads) {
    String nameOfA() {
      return tensor + ".lora_a";
    }

    String nameOfB() {
      return tensor + ".lora_b";
    }
  }

  @Override
  public List<String> write(Path file, RoundedFactors factors)
      throws IOException, ExportRefusedException, InterruptedException {
    Iterator<Target> remaining = targets.iterator();
    try (GgufWriter writer = GgufWriter.create(file, metadata(), slots(factors.dtype()))) {
      factors.write(
          plan,
          lora -> {
            Target target = remaining.next();
            float[] b = permuted(lora.b(), lora.module().out(), target.permutedHeads());
            factors.encode(lora.a(), bytes -> writer.write(target.nameOfA(), bytes));
            factors.encode(b, bytes -> writer.write(target.nameOfB(), bytes));
          });
    }
    return List.of();
  }

  private SequencedMap<String, Object> metadata() {
    String base = source.name().name();
    SequencedMap<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("general.architecture", architecture);
    metadata.put("general.type", "adapter");
    metadata.put("general.name", base == null ? "LoRA" : "LoRA for " + base);
    metadata.put("adapter.type", "lora");
    metadata.put("adapter.lora.alpha", (float) plan.rank());
    metadata.put("nola.reconstruction_digest", source.file().reconstructionDigest().toString());
    return metadata;
  }

  private List<Slot> slots(DType dtype) {
    GgmlType type =
        switch (dtype) {
          case F32 -> GgmlType.F32;
          case F16 -> GgmlType.F16;
          case BF16 -> GgmlType.BF16;
        };
    long rank = plan.rank();
    List<Slot> slots = new ArrayList<>();
    for (int i = 0; i < targets.size(); i++) {
      LoraModule module = plan.modules().get(i);
      slots.add(new Slot(targets.get(i).nameOfA(), type, List.of(rank, (long) module.in())));
      slots.add(new Slot(targets.get(i).nameOfB(), type, List.of((long) module.out(), rank)));
    }
    return slots;
  }

  private static float[] permuted(float[] b, int rows, int heads) {
    if (heads == 0) {
      return b;
    }
    int rank = b.length / rows;
    float[] permuted = new float[b.length];
    for (int row = 0; row < rows; row++) {
      int stored = Math.toIntExact(LlamaLayout.storedRow(row, rows / heads));
      System.arraycopy(b, row * rank, permuted, stored * rank, rank);
    }
    return permuted;
  }
}

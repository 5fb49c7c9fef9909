package dev.nola.cli;

import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Base models for tests. */
final class BaseModel {
  private BaseModel() {}

  /** A folder with a query and a value projection of 12×12 and a norm, f32. */
  static Path write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), "{\"model_type\":\"llama\"}");
    List<Slot> slots =
        List.of(
            new Slot("model.layers.0.self_attn.q_proj.weight", "F32", List.of(12L, 12L), 576),
            new Slot("model.layers.0.self_attn.v_proj.weight", "F32", List.of(12L, 12L), 576),
            new Slot("model.norm.weight", "F32", List.of(12L), 48));
    Random random = new Random(3);
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(folder.resolve("model.safetensors"), slots, Map.of())) {
      for (Slot slot : slots) {
        float[] weights = new float[(int) slot.bytes() / 4];
        for (int i = 0; i < weights.length; i++) {
          weights[i] = (float) random.nextGaussian();
        }
        writer.write(slot.name(), MemorySegment.ofArray(weights));
      }
    }
    return folder;
  }

  /** A file of one f32 matrix of zeros, which takes no place on disk. */
  static Path sparse(Path file, int rows, int cols) throws IOException {
    long bytes = 4L * rows * cols;
    Slot slot = new Slot("w", "F32", List.of((long) rows, (long) cols), bytes);
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, List.of(slot), Map.of())) {
      writer.write("w", bytes - 1, MemorySegment.ofArray(new byte[1]));
    }
    return file;
  }
}

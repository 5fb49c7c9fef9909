package dev.nola.client.lora;

import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.format.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Tensors with random elements to be written as a LoRA of PEFT, or as a base model. */
final class PeftLora {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Random random = new Random(9);
  private final SequencedMap<String, Slot> slots = new LinkedHashMap<>();
  private final Map<String, float[]> values = new LinkedHashMap<>();
  private final ObjectNode config =
      (ObjectNode)
          JsonMapper.shared()
              .readTree(
                  """
                  {"peft_type": "LORA", "r": 2, "lora_alpha": 6, "bias": "none", "task_type": "CAUSAL_LM",
                   "base_model_name_or_path": "acme/llama", "target_modules": ["q_proj"]}
                  """);

  /** Adds both factors of a linear module. */
  PeftLora linear(String module, int out, int in, int rank) {
    return with("base_model.model." + module + ".lora_A.weight", rank, in)
        .with("base_model.model." + module + ".lora_B.weight", out, rank);
  }

  PeftLora with(String name, int... shape) {
    return with(name, DType.F32, shape);
  }

  PeftLora with(String name, DType dtype, int... shape) {
    float[] elements = new float[IntStream.of(shape).reduce(1, (x, y) -> x * y)];
    for (int i = 0; i < elements.length; i++) {
      elements[i] = (float) random.nextGaussian();
    }
    return with(name, dtype, elements, shape);
  }

  PeftLora with(String name, DType dtype, float[] elements, int... shape) {
    List<Long> dims = IntStream.of(shape).asLongStream().boxed().toList();
    slots.put(name, new Slot(name, dtype.name(), dims, (long) elements.length * dtype.bytes()));
    values.put(name, elements);
    return this;
  }

  /** Adds a tensor of a type that adapters cannot adapt. */
  PeftLora withType(String name, String type, int elements) {
    slots.put(name, new Slot(name, type, List.of((long) elements), elements));
    values.put(name, new float[0]);
    return this;
  }

  /** Changes the config by an object of JSON. */
  PeftLora config(String json) {
    config.setAll((ObjectNode) JsonMapper.shared().readTree(json));
    return this;
  }

  float[] values(String name) {
    return values.get(name);
  }

  float[] a(String module) {
    return values("base_model.model." + module + ".lora_A.weight");
  }

  float[] b(String module) {
    return values("base_model.model." + module + ".lora_B.weight");
  }

  /** Writes the folder that PEFT would save. */
  Path write(Path folder) {
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("adapter_config.json"), config.toString());
      writeTensors(folder.resolve("adapter_model.safetensors"));
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes the tensors as a model of a type. */
  Path writeModel(Path folder, String modelType) {
    return writeModelWith(folder, "{\"model_type\":\"%s\"}".formatted(modelType));
  }

  /** Writes the tensors as a model with a config. */
  Path writeModelWith(Path folder, String modelConfig) {
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("config.json"), modelConfig);
      writeTensors(folder.resolve("model.safetensors"));
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void writeTensors(Path file) throws IOException {
    List<Slot> ordered = new ArrayList<>(slots.values());
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(file, ordered, Map.of("format", "pt"))) {
      for (Slot slot : ordered) {
        writer.write(slot.name(), encode(slot, values.get(slot.name())));
      }
    }
  }

  private static MemorySegment encode(Slot slot, float[] elements) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[(int) slot.bytes()]);
    for (int i = 0; i < elements.length; i++) {
      switch (slot.type()) {
        case "F32" -> bytes.set(FLOAT, 4L * i, elements[i]);
        case "F16" -> bytes.set(SHORT, 2L * i, Float.floatToFloat16(elements[i]));
        default -> bytes.set(SHORT, 2L * i, (short) (Float.floatToRawIntBits(elements[i]) >>> 16));
      }
    }
    return bytes;
  }
}

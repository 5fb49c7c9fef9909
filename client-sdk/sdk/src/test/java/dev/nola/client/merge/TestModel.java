package dev.nola.client.merge;

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

/** A base model to be written, with random weights. */
final class TestModel {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Random random = new Random(5);
  private final SequencedMap<String, Slot> slots = new LinkedHashMap<>();
  private final Map<String, MemorySegment> data = new LinkedHashMap<>();

  /** Adds a tensor of normally distributed weights. */
  TestModel with(String name, DType dtype, int... shape) {
    long elements = 1;
    List<Long> dims = new ArrayList<>();
    for (int dim : shape) {
      elements *= dim;
      dims.add((long) dim);
    }
    byte[] bytes = new byte[Math.toIntExact(elements * dtype.bytes())];
    MemorySegment segment = MemorySegment.ofArray(bytes);
    for (long e = 0; e < elements; e++) {
      set(dtype, segment, e, (float) random.nextGaussian());
    }
    return with(new Slot(name, dtype.name(), dims, bytes.length), segment);
  }

  /** Adds a tensor as it is. */
  TestModel with(Slot slot, MemorySegment bytes) {
    slots.put(slot.name(), slot);
    data.put(slot.name(), bytes);
    return this;
  }

  MemorySegment data(String name) {
    return data.get(name);
  }

  /** As one file. */
  Path writeFile(Path file) {
    return write(file, slots.values());
  }

  /** As a folder with {@code config.json} and one file. */
  Path writeFolder(Path folder, String config) {
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("config.json"), config);
      writeFile(folder.resolve("model.safetensors"));
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As a folder whose index deals the tensors out to shards. */
  Path writeShards(Path folder, int count) {
    try {
      Files.createDirectories(folder);
      StringBuilder index = new StringBuilder("{\"metadata\":{\"total_size\":0},\"weight_map\":{");
      for (int i = 0; i < count; i++) {
        String name = "model-%05d-of-%05d.safetensors".formatted(i + 1, count);
        List<Slot> part = new ArrayList<>();
        int offset = 0;
        for (Slot slot : slots.values()) {
          if (offset++ % count == i) {
            part.add(slot);
            index.append(index.charAt(index.length() - 1) == '{' ? "" : ",");
            index.append("\"%s\":\"%s\"".formatted(slot.name(), name));
          }
        }
        if (!part.isEmpty()) {
          write(folder.resolve(name), part);
        }
      }
      Files.writeString(folder.resolve("model.safetensors.index.json"), index + "}}");
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path write(Path file, Iterable<Slot> of) {
    List<Slot> list = new ArrayList<>();
    of.forEach(list::add);
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, list, Map.of("format", "pt"))) {
      for (Slot slot : list) {
        writer.write(slot.name(), data.get(slot.name()));
      }
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static float get(DType dtype, MemorySegment data, long element) {
    return switch (dtype) {
      case F32 -> data.get(FLOAT, element * 4);
      case F16 -> Float.float16ToFloat(data.get(SHORT, element * 2));
      case BF16 -> Float.intBitsToFloat(data.get(SHORT, element * 2) << 16);
    };
  }

  /** Rounds to nearest even. */
  static void set(DType dtype, MemorySegment data, long element, float value) {
    switch (dtype) {
      case F32 -> data.set(FLOAT, element * 4, value);
      case F16 -> data.set(SHORT, element * 2, Float.floatToFloat16(value));
      case BF16 -> {
        int bits = Float.floatToRawIntBits(value);
        data.set(SHORT, element * 2, (short) ((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16));
      }
    }
  }
}

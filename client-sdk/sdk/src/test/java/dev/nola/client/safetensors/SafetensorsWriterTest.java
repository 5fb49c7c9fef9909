package dev.nola.client.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsWriterTest {
  private static final List<String> TYPES = List.of("F64", "U8", "BF16", "F32", "F8_E4M3", "C64");

  @TempDir private Path folder;

  private static LongStream seeds() {
    return LongStream.concat(
        LongStream.of(0, -1, Long.MIN_VALUE, Long.MAX_VALUE), new SplittableRandom(1).longs(100));
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void writtenTensorsAreReadBack(long seed) throws IOException {
    Random random = new Random(seed);
    Path folder = Files.createTempDirectory("nola-writer");
    Path file = folder.resolve("m.safetensors");
    List<SafetensorsWriter.Slot> slots =
        IntStream.range(0, random.nextInt(6))
            .mapToObj(
                i -> {
                  String type = TYPES.get(random.nextInt(TYPES.size()));
                  List<Long> shape = List.of((long) random.nextInt(4), (long) random.nextInt(5));
                  long bytes = shape.get(0) * shape.get(1) * ElementType.bits(type) / 8;
                  return new SafetensorsWriter.Slot("t \"é" + i, type, shape, bytes);
                })
            .toList();
    try {
      Map<String, byte[]> written = new HashMap<>();
      try (SafetensorsWriter writer =
          SafetensorsWriter.create(file, slots, Map.of("format", "pt", "ü", "\n"))) {
        for (SafetensorsWriter.Slot slot : slots.reversed()) {
          byte[] data = new byte[(int) slot.bytes()];
          random.nextBytes(data);
          written.put(slot.name(), data);
          int half = data.length / 2;
          MemorySegment all = MemorySegment.ofArray(data);
          writer.write(slot.name(), half, all.asSlice(half));
          writer.write(slot.name(), all.asSlice(0, half));
        }
      }
      try (SafetensorsFile read = SafetensorsFile.open(file)) {
        assertThat(read.metadata())
            .as("seed %d", seed)
            .isEqualTo(Map.of("format", "pt", "ü", "\n"));
        assertThat(read.tensors()).hasSize(slots.size());
        for (SafetensorsWriter.Slot slot : slots) {
          Tensor tensor = read.tensors().get(slot.name());
          assertThat(tensor.type()).as("seed %d", seed).isEqualTo(slot.type());
          assertThat(tensor.shape()).as("seed %d", seed).isEqualTo(slot.shape());
          assertThat(tensor.data().mismatch(MemorySegment.ofArray(written.get(slot.name()))))
              .as("seed %d", seed)
              .isEqualTo(-1);
          assertThat(tensor.data().address() % ElementType.alignment(slot.type())).isZero();
        }
      }
    } finally {
      Files.deleteIfExists(file);
      Files.delete(folder);
    }
  }

  @Test
  void anyArrayCanBeWritten() throws IOException {
    Path file = folder.resolve("m.safetensors");
    float[] values = {1, 2, 3};
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(
            file, List.of(new SafetensorsWriter.Slot("a", "F32", List.of(3L), 12)), Map.of())) {
      writer.write("a", MemorySegment.ofArray(values).asReadOnly());
    }
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      assertThat(read.tensors().get("a").data().mismatch(MemorySegment.ofArray(values)))
          .isEqualTo(-1);
    }
  }

  @Test
  void existingFileIsNotTouched() throws IOException {
    Path file = Files.writeString(folder.resolve("m.safetensors"), "mine");
    assertThatThrownBy(() -> SafetensorsWriter.create(file, List.of(), Map.of()))
        .isInstanceOf(FileAlreadyExistsException.class);
    assertThat(file).hasContent("mine");
  }

  @Test
  void twoTensorsOfOneNameAreRefused() {
    var slot = new SafetensorsWriter.Slot("a", "U8", List.of(1L), 1);
    assertThatThrownBy(
            () ->
                SafetensorsWriter.create(
                    folder.resolve("m.safetensors"), List.of(slot, slot), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("tensor listed twice: a; names must be unique");
  }
}

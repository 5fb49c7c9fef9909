package dev.nola.client.dequantize;

import dev.nola.client.Progress;
import dev.nola.client.peft.FloatRounding;
import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.format.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Writes tensors one after another, some rows at a time. */
final class PlainModelWriter {
  /** Elements that are decoded at a time, unless a row has more. */
  private static final int PIECE = 1 << 18;

  /** Most elements of a row. */
  private static final long MAX_ROW = 1 << 28;

  private final Path source;
  private final Progress progress;
  private final long total;
  private long done;

  /**
   * Creates a writer.
   *
   * @param source the model that is read, to be named
   * @param total bytes of all tensors that will be written
   */
  PlainModelWriter(Path source, Progress progress, long total) {
    this.source = source;
    this.progress = progress;
    this.total = total;
  }

  /**
   * Writes a file.
   *
   * @param file the file, which must not exist
   * @param tensors its tensors
   * @param metadata the texts of its {@code __metadata__}
   */
  void write(Path file, List<Output> tensors, Map<String, String> metadata) throws IOException {
    List<SafetensorsWriter.Slot> slots = tensors.stream().map(Output::slot).toList();
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, slots, metadata)) {
      for (Output tensor : tensors) {
        switch (tensor) {
          case Output.Copied copied -> {
            writer.write(copied.tensor().name(), copied.tensor().data());
            advance(copied.tensor().data().byteSize());
          }
          case Output.Decoded decoded -> write(decoded, writer);
        }
      }
    }
  }

  private void write(Output.Decoded tensor, SafetensorsWriter writer) throws IOException {
    long columns = tensor.columns();
    if (columns == 0) {
      return;
    }
    if (columns > MAX_ROW) {
      throw new InvalidModelException(
          source,
          "tensor %s has rows of %,d elements; limit is %,d"
              .formatted(tensor.name(), columns, MAX_ROW));
    }
    long rows = tensor.rows();
    int most = (int) Math.clamp(PIECE / columns, 1L, Math.max(1, rows));
    float[] values = new float[Math.toIntExact(most * columns)];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate((long) values.length * tensor.dtype().bytes());
      for (long row = 0; row < rows; row += most) {
        int count = (int) Math.min(most, rows - row);
        tensor.values().read(row, count, values);
        float[] piece =
            count == most ? values : Arrays.copyOf(values, Math.toIntExact(count * columns));
        round(tensor, piece);
        FloatRounding.encode(piece, tensor.dtype(), bytes);
        MemorySegment part = bytes.asSlice(0, (long) piece.length * tensor.dtype().bytes());
        writer.write(tensor.name(), row * columns * tensor.dtype().bytes(), part);
        advance(part.byteSize());
      }
    }
  }

  private void round(Output.Decoded tensor, float[] values) throws InvalidModelException {
    for (int i = 0; i < values.length; i++) {
      float value = values[i];
      float rounded = FloatRounding.round(Float.isNaN(value) ? Float.NaN : value, tensor.dtype());
      if (Float.isInfinite(rounded) && !Float.isInfinite(value)) {
        throw new InvalidModelException(
            source,
            "tensor %s has a value of %s, too large for %s; pass --dtype %s"
                .formatted(
                    tensor.name(),
                    value,
                    tensor.dtype(),
                    tensor.dtype() == DType.F16 ? "bf16" : "f32"));
      }
      values[i] = rounded;
    }
  }

  private void advance(long bytes) {
    done += bytes;
    progress.at(done, total);
  }
}

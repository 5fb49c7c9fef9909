package dev.nola.client.dequantize;

import dev.nola.client.Progress;
import dev.nola.client.peft.FloatRounding;
import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.format.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.LongStream;

/** Writes tensors one after another, some rows at a time on each processor. */
final class PlainModelWriter {
  /** Elements that a thread decodes at a time, unless a row has more. */
  private static final int PIECE = 1 << 18;

  /** Limit of the elements of a row, which a thread decodes at once. */
  private static final long MAX_ROW = 1 << 25;

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
    if (columns > MAX_ROW) {
      throw new InvalidModelException(
          source,
          String.format(
              Locale.ROOT,
              "tensor %s has rows of %,d elements; limit is %,d",
              tensor.name(),
              columns,
              MAX_ROW));
    }
    long rows = tensor.rows();
    long rowsPerPiece = Math.max(1, PIECE / Math.max(1, columns));
    LongStream pieces = LongStream.range(0, columns == 0 ? 0 : Math.ceilDiv(rows, rowsPerPiece));
    try {
      (columns > PIECE ? pieces : pieces.parallel())
          .forEach(
              piece -> {
                long row = piece * rowsPerPiece;
                write(tensor, row, (int) Math.min(rowsPerPiece, rows - row), writer);
              });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private void write(Output.Decoded tensor, long row, int count, SafetensorsWriter writer) {
    float[] values = new float[Math.toIntExact(count * tensor.columns())];
    tensor.values().read(row, count, values);
    byte[] bytes = new byte[Math.multiplyExact(values.length, tensor.dtype().bytes())];
    try {
      round(tensor, values);
      FloatRounding.encode(values, tensor.dtype(), MemorySegment.ofArray(bytes));
      long offset = row * tensor.columns() * tensor.dtype().bytes();
      writer.write(tensor.name(), offset, MemorySegment.ofArray(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    advance(bytes.length);
  }

  private void round(Output.Decoded tensor, float[] values) throws InvalidModelException {
    for (int i = 0; i < values.length; i++) {
      float value = values[i];
      // One NaN for all, because which one arithmetic makes depends on the processor.
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

  private synchronized void advance(long bytes) {
    done += bytes;
    progress.at(done, total);
  }
}

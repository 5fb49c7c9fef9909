package dev.nola.client.merge;

import dev.nola.client.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Writes a part of a tensor piece by piece, each of which is read, converted to f32 if the type
 * changes, changed, and rounded.
 *
 * @param name the tensor's name in the merged model
 * @param start first byte of the part, before it is converted
 * @param limit end of the part
 * @param elementBytes size of an element before it is converted
 * @param conversion null if the type stays the same
 * @param writer receives the pieces
 */
record Piecewise(
    String name,
    long start,
    long limit,
    int elementBytes,
    @Nullable FloatConversion conversion,
    SafetensorsWriter writer) {
  /** Bytes that are read, merged and written at a time: what a second cache holds. */
  static final int BYTES = 1 << 20;

  /** Elements that are converted at a time; of f64, they fill a piece. */
  private static final int ELEMENTS = BYTES / Double.BYTES;

  /** Fills a piece with bytes of the tensor from an offset on. */
  @FunctionalInterface
  interface Source {
    void read(long offset, MemorySegment piece) throws IOException;
  }

  /** Changes a piece, which begins with an element of the tensor, in place. */
  @FunctionalInterface
  interface Change {
    void accept(long element, MemorySegment piece) throws MergeRefusedException;
  }

  /**
   * Writes the part.
   *
   * @param buffers memory for pieces, one of which is borrowed
   * @throws MergeRefusedException if an element would become infinite
   */
  void run(Source source, Change change, BlockingQueue<MemorySegment> buffers)
      throws IOException, MergeRefusedException, InterruptedException {
    MemorySegment buffer = buffers.take();
    try {
      if (conversion == null) {
        copy(source, change, buffer);
      } else {
        convert(source, change, buffer, conversion);
      }
    } finally {
      buffers.add(buffer);
    }
  }

  private void copy(Source source, Change change, MemorySegment buffer)
      throws IOException, MergeRefusedException {
    for (long offset = start; offset < limit; offset += BYTES) {
      MemorySegment piece = buffer.asSlice(0, Math.min(BYTES, limit - offset));
      source.read(offset, piece);
      change.accept(offset / elementBytes, piece);
      writer.write(name, offset, piece);
    }
  }

  private void convert(Source source, Change change, MemorySegment buffer, FloatConversion types)
      throws IOException, MergeRefusedException {
    int size = elementBytes;
    int target = types.target().bytes();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment wide = arena.allocate((long) ELEMENTS * Float.BYTES, Float.BYTES);
      MemorySegment rounded = arena.allocate((long) ELEMENTS * target, target);
      for (long element = start / size; element < limit / size; element += ELEMENTS) {
        long count = Math.min(ELEMENTS, limit / size - element);
        MemorySegment piece = buffer.asSlice(0, count * size);
        MemorySegment floats = wide.asSlice(0, count * Float.BYTES);
        MemorySegment result = rounded.asSlice(0, count * target);
        source.read(element * size, piece);
        requireFinite(element, types.widen(piece, floats), types);
        change.accept(element, floats);
        requireFinite(element, types.round(floats, result), types);
        writer.write(name, element * target, result);
      }
    }
  }

  private void requireFinite(long element, int overflow, FloatConversion types)
      throws MergeRefusedException {
    if (overflow >= 0) {
      throw new MergeRefusedException(
          MergeRefusedException.Reason.OVERFLOW,
          "weight too large for %s: tensor %s, element %d; choose another type"
              .formatted(types.target(), name, element + overflow));
    }
  }
}

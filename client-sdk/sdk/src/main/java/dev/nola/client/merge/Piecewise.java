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

  /** A tensor that is merged as a whole, in other memory than the host's. */
  interface Whole {
    /** Takes a piece of it, which begins with an element of the tensor. */
    void put(long element, MemorySegment piece);

    /** Merges it. */
    void merge() throws MergeRefusedException;

    /** Fills a piece with merged elements. */
    void get(long element, MemorySegment piece);
  }

  @FunctionalInterface
  private interface PieceTask {
    void accept(Piece piece) throws IOException, MergeRefusedException;
  }

  /**
   * Writes the part.
   *
   * @param buffers memory for pieces, one of which is borrowed
   * @throws MergeRefusedException if an element would become infinite
   */
  void run(Source source, Change change, BlockingQueue<MemorySegment> buffers)
      throws IOException, MergeRefusedException, InterruptedException {
    each(
        buffers,
        piece -> {
          piece.read(source);
          change.accept(piece.element, piece.values);
          piece.write();
        });
  }

  /**
   * Writes the part, which is a whole tensor: reads all pieces, merges them at once, and writes the
   * results.
   *
   * @param buffers memory for pieces, one of which is borrowed
   * @throws MergeRefusedException if an element would become infinite
   */
  void run(Source source, Whole whole, BlockingQueue<MemorySegment> buffers)
      throws IOException, MergeRefusedException, InterruptedException {
    each(
        buffers,
        piece -> {
          piece.read(source);
          whole.put(piece.element, piece.values);
        });
    whole.merge();
    each(
        buffers,
        piece -> {
          whole.get(piece.element, piece.values);
          piece.write();
        });
  }

  private void each(BlockingQueue<MemorySegment> buffers, PieceTask task)
      throws IOException, MergeRefusedException, InterruptedException {
    MemorySegment buffer = buffers.take();
    try (Arena arena = Arena.ofConfined()) {
      int step = conversion == null ? BYTES / elementBytes : ELEMENTS;
      Converted memory = conversion == null ? null : Converted.allocate(arena, conversion);
      for (long element = start / elementBytes; element < limit / elementBytes; element += step) {
        int count = (int) Math.min(step, limit / elementBytes - element);
        MemorySegment stored = buffer.asSlice(0, (long) count * elementBytes);
        MemorySegment values =
            memory == null ? stored : memory.wide.asSlice(0, (long) count * Float.BYTES);
        task.accept(new Piece(element, stored, values, memory));
      }
    } finally {
      buffers.add(buffer);
    }
  }

  /**
   * Memory for a conversion.
   *
   * @param types the type of the base and that of the merged model
   * @param wide for the elements in f32
   * @param rounded for the elements in the new type
   */
  private record Converted(FloatConversion types, MemorySegment wide, MemorySegment rounded) {
    static Converted allocate(Arena arena, FloatConversion types) {
      int target = types.target().bytes();
      return new Converted(
          types,
          arena.allocate((long) ELEMENTS * Float.BYTES, Float.BYTES),
          arena.allocate((long) ELEMENTS * target, target));
    }
  }

  /** A piece of the tensor. */
  private final class Piece {
    private final long element;
    private final MemorySegment stored;
    private final MemorySegment values;
    private final @Nullable Converted memory;

    /**
     * Creates a piece.
     *
     * @param element index in the tensor of its first element
     * @param stored its elements in the type of the base
     * @param values its elements in the type in which they are merged; the same memory, or f32
     * @param memory for the conversion; null if the type stays the same
     */
    Piece(long element, MemorySegment stored, MemorySegment values, @Nullable Converted memory) {
      this.element = element;
      this.stored = stored;
      this.values = values;
      this.memory = memory;
    }

    void read(Source source) throws IOException, MergeRefusedException {
      source.read(element * elementBytes, stored);
      if (memory != null) {
        requireFinite(element, memory.types.widen(stored, values), memory.types);
      }
    }

    void write() throws IOException, MergeRefusedException {
      if (memory == null) {
        writer.write(name, element * elementBytes, values);
        return;
      }
      int target = memory.types.target().bytes();
      MemorySegment result = memory.rounded.asSlice(0, values.byteSize() / Float.BYTES * target);
      requireFinite(element, memory.types.round(values, result), memory.types);
      writer.write(name, element * target, result);
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

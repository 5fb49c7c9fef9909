package dev.nola.client.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;

/** Writes a GGUF file of version 3, little-endian. */
public final class GgufWriter implements AutoCloseable {
  private static final int VERSION = 3;
  private static final int ALIGNMENT = 32;

  private final FileChannel channel;
  private final Map<String, Long> places = new HashMap<>();

  /**
   * A tensor to make room for.
   *
   * @param name its name
   * @param type its type, of blocks of one element
   * @param shape its dimensions, of which the last is contiguous
   */
  public record Slot(String name, GgmlType type, List<Long> shape) {
    /** Copies the shape. */
    public Slot {
      shape = List.copyOf(shape);
    }

    private long bytes() {
      return shape.stream().reduce((long) type.blockBytes(), Math::multiplyExact);
    }
  }

  private GgufWriter(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Begins a file: writes its header and leaves room for the tensors.
   *
   * @param path a file that does not exist yet
   * @param metadata texts and f32 numbers by key
   * @param tensors the tensors, in the order of the file; their names are unique
   * @return the writer
   * @throws IOException if the file exists, or cannot be written
   */
  public static GgufWriter create(
      Path path, SequencedMap<String, Object> metadata, List<Slot> tensors) throws IOException {
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    header.writeBytes(GgufHeader.MAGIC);
    int32(header, VERSION);
    int64(header, tensors.size());
    int64(header, metadata.size());
    for (Map.Entry<String, Object> entry : metadata.entrySet()) {
      text(header, entry.getKey());
      switch (entry.getValue()) {
        case String text -> {
          int32(header, GgufHeader.TEXT);
          text(header, text);
        }
        case Float number -> {
          int32(header, GgufHeader.FLOAT);
          int32(header, Float.floatToIntBits(number));
        }
        default ->
            throw new IllegalArgumentException(
                "metadata %s is of %s; must be a String or Float"
                    .formatted(entry.getKey(), entry.getValue().getClass()));
      }
    }
    long offset = 0;
    Map<String, Long> offsets = new HashMap<>();
    for (Slot slot : tensors) {
      text(header, slot.name);
      int32(header, slot.shape.size());
      slot.shape.reversed().forEach(size -> int64(header, size)); // the contiguous one first
      int32(header, slot.type.number());
      int64(header, offset);
      offsets.put(slot.name, offset);
      offset += aligned(slot.bytes());
    }
    GgufWriter writer =
        new GgufWriter(
            FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
    try {
      long start = aligned(header.size());
      offsets.forEach((name, place) -> writer.places.put(name, start + place));
      writer.write(ByteBuffer.wrap(header.toByteArray()), 0);
      if (offset > 0) {
        writer.write(ByteBuffer.allocate(1), start + offset - 1); // the last tensor is padded too
      }
      return writer;
    } catch (IOException | RuntimeException e) {
      writer.close();
      throw e;
    }
  }

  /**
   * Writes a whole tensor.
   *
   * @param tensor the tensor's name
   * @param data all of its bytes, fewer than 2^31
   * @throws IOException if they cannot be written
   */
  public void write(String tensor, MemorySegment data) throws IOException {
    write(data.asByteBuffer(), Objects.requireNonNull(places.get(tensor), tensor));
  }

  private void write(ByteBuffer bytes, long place) throws IOException {
    for (long position = place; bytes.hasRemaining(); ) {
      position += channel.write(bytes, position);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  private static void text(ByteArrayOutputStream header, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    int64(header, utf8.length);
    header.writeBytes(utf8);
  }

  private static void int32(ByteArrayOutputStream header, int value) {
    header.writeBytes(
        ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
  }

  private static void int64(ByteArrayOutputStream header, long value) {
    header.writeBytes(
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
  }
}

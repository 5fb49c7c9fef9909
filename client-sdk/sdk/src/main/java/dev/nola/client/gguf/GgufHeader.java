package dev.nola.client.gguf;

import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.format.LimitExceededException;
import dev.nola.reconstruct.Budget;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;

/** What a GGUF file says before its tensors' bytes. */
record GgufHeader(SequencedMap<String, Object> metadata, SequencedMap<String, GgufTensor> tensors) {
  static final byte[] MAGIC = {'G', 'G', 'U', 'F'};

  /** Bytes of memory that an element of a list takes at most, beside a text's characters. */
  private static final int HEAP_PER_ELEMENT = 64;

  private static final int MAX_DIMENSIONS = 4;

  /** Numbers of types of metadata. */
  static final int FLOAT = 6;

  static final int TEXT = 8;

  /**
   * Reads the header of a file.
   *
   * @param path the file, to be named
   * @param file all of its bytes
   * @throws InvalidModelException if it breaks a rule of the format
   */
  static GgufHeader read(Path path, MemorySegment file) throws IOException {
    return new Reader(path, file).read();
  }

  /** What the header says of a tensor. */
  private record Entry(String name, List<Long> shape, long type, long offset) {}

  private static final class Reader {
    private static final ValueLayout.OfShort SHORT =
        ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
        ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
        ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int ARRAY = 9;

    private final Path path;
    private final MemorySegment file;
    private final long limit = Budget.standard().memoryBytes();
    private long position;
    private long heap;

    Reader(Path path, MemorySegment file) {
      this.path = path;
      this.file = file;
    }

    GgufHeader read() throws IOException {
      if (!Arrays.equals(take(MAGIC.length), MAGIC)) {
        throw invalid("is not a GGUF file");
      }
      int version = int32();
      if (version != 2 && version != 3) {
        throw invalid(
            "is of GGUF version %s; must be 2 or 3, little-endian"
                .formatted(Integer.toUnsignedString(version)));
      }
      long tensorCount = count();
      long metadataCount = count();
      SequencedMap<String, Object> metadata = new LinkedHashMap<>();
      for (long i = 0; i < metadataCount; i++) {
        String key = text();
        if (metadata.put(key, value(int32())) != null) {
          throw invalid("has two metadata of the key " + key);
        }
      }
      List<Entry> entries = new ArrayList<>();
      for (long i = 0; i < tensorCount; i++) {
        entries.add(entry());
      }
      long alignment = metadata.get("general.alignment") instanceof Long value ? value : 32L;
      if (alignment < 1 || alignment > 1 << 20) {
        throw invalid("has alignment %d; must be 1 to 2^20".formatted(alignment));
      }
      return new GgufHeader(metadata, tensors(entries, alignment));
    }

    private SequencedMap<String, GgufTensor> tensors(List<Entry> entries, long alignment)
        throws InvalidModelException {
      long start = Math.ceilDiv(position, alignment) * alignment;
      SequencedMap<String, GgufTensor> tensors = new LinkedHashMap<>();
      for (Entry entry : entries) {
        GgmlType type =
            GgmlType.ofNumber(entry.type)
                .orElseThrow(
                    () ->
                        invalid(
                            "tensor %s has type %s; must be one of %s"
                                .formatted(
                                    entry.name,
                                    GgmlType.name(entry.type),
                                    List.of(GgmlType.values()))));
        long bytes = bytes(entry, type);
        if (entry.offset < 0
            || start > file.byteSize()
            || entry.offset > file.byteSize() - start
            || bytes > file.byteSize() - start - entry.offset) {
          throw invalid(
              String.format(
                  Locale.ROOT,
                  "tensor %s has %,d bytes from %,d on, past the end of the file (%,d bytes); download it again",
                  entry.name,
                  bytes,
                  start + entry.offset,
                  file.byteSize()));
        }
        GgufTensor tensor =
            new GgufTensor(
                entry.name, type, entry.shape, file.asSlice(start + entry.offset, bytes));
        if (tensors.put(entry.name, tensor) != null) {
          throw invalid("has two tensors of the name " + entry.name);
        }
      }
      return tensors;
    }

    private long bytes(Entry entry, GgmlType type) throws InvalidModelException {
      try {
        long elements = 1;
        for (long size : entry.shape) {
          if (size < 1) {
            throw invalid(
                "tensor %s has shape %s; must have dimensions of at least 1"
                    .formatted(entry.name, entry.shape));
          }
          elements = Math.multiplyExact(elements, size);
        }
        if (entry.shape.getLast() % type.blockElements() != 0) {
          throw invalid(
              "tensor %s of type %s has rows of %d elements; must be whole blocks of %d"
                  .formatted(entry.name, type, entry.shape.getLast(), type.blockElements()));
        }
        return Math.multiplyExact(elements / type.blockElements(), type.blockBytes());
      } catch (ArithmeticException e) {
        throw new InvalidModelException(
            path,
            "tensor %s has shape %s; must have fewer than 2^63 bytes"
                .formatted(entry.name, entry.shape),
            e);
      }
    }

    private Entry entry() throws IOException {
      useMemory(4L * HEAP_PER_ELEMENT);
      String name = text();
      int dimensions = int32();
      if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
        throw invalid(
            "tensor %s has %s dimensions; must be 1 to 4"
                .formatted(name, Integer.toUnsignedString(dimensions)));
      }
      List<Long> shape = new ArrayList<>();
      for (int i = 0; i < dimensions; i++) {
        shape.addFirst(int64());
      }
      return new Entry(name, shape, Integer.toUnsignedLong(int32()), int64());
    }

    private Object value(int type) throws IOException {
      useMemory(HEAP_PER_ELEMENT);
      return switch (type) {
        case 0 -> (long) Byte.toUnsignedInt(int8());
        case 1 -> (long) int8();
        case 2 -> (long) Short.toUnsignedInt(int16());
        case 3 -> (long) int16();
        case 4 -> Integer.toUnsignedLong(int32());
        case 5 -> (long) int32();
        case FLOAT -> Double.valueOf(Float.toString(Float.intBitsToFloat(int32())));
        case 7 -> int8() != 0;
        case TEXT -> text();
        case ARRAY -> list();
        case 10, 11 -> int64();
        case 12 -> Double.longBitsToDouble(int64());
        default ->
            throw invalid(
                "has metadata of type %s; must be 0 to 12"
                    .formatted(Integer.toUnsignedString(type)));
      };
    }

    private List<Object> list() throws IOException {
      int type = int32();
      long count = count();
      if (type == ARRAY) {
        throw invalid("has a list of lists in its metadata");
      }
      List<Object> values = new ArrayList<>();
      for (long i = 0; i < count; i++) {
        values.add(value(type));
      }
      return values;
    }

    private long count() throws InvalidModelException {
      long count = int64();
      if (count < 0) {
        throw invalid("declares %s entries".formatted(Long.toUnsignedString(count)));
      }
      return count;
    }

    private String text() throws IOException {
      long length = int64();
      requireBytes(length);
      useMemory(HEAP_PER_ELEMENT + 2 * length);
      return new String(take(length), StandardCharsets.UTF_8);
    }

    private byte[] take(long length) throws InvalidModelException {
      return file.asSlice(advance(length), length).toArray(ValueLayout.JAVA_BYTE);
    }

    private byte int8() throws InvalidModelException {
      return file.get(ValueLayout.JAVA_BYTE, advance(Byte.BYTES));
    }

    private short int16() throws InvalidModelException {
      return file.get(SHORT, advance(Short.BYTES));
    }

    private int int32() throws InvalidModelException {
      return file.get(INT, advance(Integer.BYTES));
    }

    private long int64() throws InvalidModelException {
      return file.get(LONG, advance(Long.BYTES));
    }

    private long advance(long bytes) throws InvalidModelException {
      requireBytes(bytes);
      long before = position;
      position += bytes;
      return before;
    }

    private void requireBytes(long count) throws InvalidModelException {
      if (count < 0 || count > file.byteSize() - position) {
        throw invalid("ends inside its header; download it again");
      }
    }

    private void useMemory(long bytes) throws LimitExceededException {
      heap += bytes;
      if (heap > limit) {
        throw new LimitExceededException(
            LimitExceededException.Limit.MEMORY,
            heap,
            String.format(
                Locale.ROOT,
                "%s has a header for which more than %,d bytes of memory are needed, the limit",
                path,
                limit));
      }
    }

    private InvalidModelException invalid(String rule) {
      return new InvalidModelException(path, rule);
    }
  }
}

package dev.nola.client.safetensors;

import dev.nola.format.LimitExceededException;
import dev.nola.reconstruct.Budget;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * One safetensors file, memory-mapped whole, however large. Thread-safe; the tensors' bytes are
 * valid until it is closed.
 */
public final class SafetensorsFile implements AutoCloseable {
  /** The longest header, in bytes. */
  public static final int MAX_HEADER = 100_000_000;

  /** What the names of such files end with. */
  public static final String EXTENSION = ".safetensors";

  static final String METADATA = "__metadata__";

  /**
   * Bytes of memory that a byte of a header takes at most: as a byte, as a character, and as a
   * tensor with a short name or a dimension of a shape.
   */
  static final int HEAP_PER_HEADER = 12;

  private static final int LENGTH_BYTES = Long.BYTES;
  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final Arena arena;
  private final FileChannel channel;
  private final MemorySegment mapped;
  private final Path path;
  private final SequencedMap<String, Tensor> tensors;
  private final Map<String, String> metadata;

  private SafetensorsFile(
      Arena arena,
      FileChannel channel,
      MemorySegment mapped,
      Path path,
      SequencedMap<String, Tensor> tensors,
      Map<String, String> metadata) {
    this.arena = arena;
    this.channel = channel;
    this.mapped = mapped;
    this.path = path;
    this.tensors = Collections.unmodifiableSequencedMap(tensors);
    this.metadata = Collections.unmodifiableMap(metadata);
  }

  /**
   * Opens a file and checks all of its header.
   *
   * @param path the file
   * @return the open file
   * @throws InvalidModelException if it breaks a rule of the format
   * @throws IOException if it cannot be read
   */
  public static SafetensorsFile open(Path path) throws IOException {
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new InvalidModelException(path, "is not a file");
    }
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    Arena arena = Arena.ofShared();
    try {
      MemorySegment file =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena).asReadOnly();
      return new HeaderReader(path, file).read(arena, channel);
    } catch (IOException | RuntimeException e) {
      arena.close();
      channel.close();
      throw e;
    }
  }

  /**
   * Returns the file's path.
   *
   * @return the path
   */
  public Path path() {
    return path;
  }

  /**
   * Returns the tensors by name, in the order of their bytes.
   *
   * @return the tensors
   */
  public SequencedMap<String, Tensor> tensors() {
    return tensors;
  }

  /**
   * Returns the texts of {@code __metadata__}; empty if there are none.
   *
   * @return the texts by key
   */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * Reads a part of a tensor without mapping it into memory: for those who go through a large model
   * once, and whose process should not seem to hold all of it.
   *
   * <p>Interrupting the thread that reads ends the reading, and that of all others, as it does with
   * any file channel.
   *
   * @param tensor its name
   * @param start number of the first byte in the tensor
   * @param into receives as many bytes as it has room for; native memory, or a byte array
   * @throws IOException if it cannot be read, or the file has become shorter
   * @throws IllegalArgumentException if there is no such tensor
   * @throws IndexOutOfBoundsException if the tensor has not so many bytes
   */
  public void read(String tensor, long start, MemorySegment into) throws IOException {
    Tensor found = tensors.get(tensor);
    if (found == null) {
      throw new IllegalArgumentException(path + " has no tensor " + tensor);
    }
    MemorySegment part = found.data().asSlice(start, into.byteSize());
    long offset = part.address() - mapped.address();
    ByteBuffer buffer = into.asByteBuffer();
    while (buffer.hasRemaining()) {
      int read = channel.read(buffer, offset);
      if (read < 0) {
        throw new IOException(path + ": became shorter while it was being read");
      }
      offset += read;
    }
  }

  @Override
  public void close() {
    arena.close();
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // closing what was only read does not fail
    }
  }

  /** What the header says of a tensor. */
  private record Entry(String name, String type, List<Long> shape, long begin, long end) {}

  private static final class HeaderReader {
    private final Path path;
    private final MemorySegment file;
    private final List<Entry> entries = new ArrayList<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    HeaderReader(Path path, MemorySegment file) {
      this.path = path;
      this.file = file;
    }

    SafetensorsFile read(Arena arena, FileChannel channel) throws IOException {
      if (file.byteSize() < LENGTH_BYTES) {
        throw invalid(
            "has %d bytes; must have at least 8, for the length of the header"
                .formatted(file.byteSize()));
      }
      long length = file.get(LENGTH, 0);
      if (length < 0 || length > MAX_HEADER) {
        throw invalid(
            "declares a header of %s bytes; limit is %,d"
                .formatted(Long.toUnsignedString(length), MAX_HEADER));
      }
      if (length > file.byteSize() - LENGTH_BYTES) {
        throw invalid(
            "declares a header of %,d bytes, but is only %,d bytes long"
                .formatted(length, file.byteSize()));
      }
      requireMemory(length);
      byte[] header = file.asSlice(LENGTH_BYTES, length).toArray(ValueLayout.JAVA_BYTE);
      if (header.length == 0 || header[0] != '{') {
        throw invalid("has a header that does not begin with {");
      }
      requireUtf8(header);
      parse(header);
      return new SafetensorsFile(
          arena, channel, file, path, lay(file.asSlice(LENGTH_BYTES + length)), metadata);
    }

    /** Refuses a header that Java's heap cannot hold, before it is read. */
    private void requireMemory(long length) throws LimitExceededException {
      long required = length * HEAP_PER_HEADER;
      long limit = Budget.standard().memoryBytes();
      if (required > limit) {
        throw new LimitExceededException(
            LimitExceededException.Limit.MEMORY,
            required,
            "%s has a header of %,d bytes, for which %,d bytes of memory are needed; limit is %,d"
                .formatted(path, length, required, limit));
      }
    }

    private void requireUtf8(byte[] header) throws InvalidModelException {
      try {
        StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(header));
      } catch (CharacterCodingException e) {
        throw new InvalidModelException(path, "has a header that is not UTF-8", e);
      }
    }

    private void parse(byte[] header) throws InvalidModelException {
      try (JsonParser json =
          JSON.createParser(ObjectReadContext.empty(), new ByteArrayInputStream(header))) {
        json.nextToken();
        while (json.nextToken() == JsonToken.PROPERTY_NAME) {
          String name = json.currentName();
          expect(json, JsonToken.START_OBJECT, name, "an object");
          if (name.equals(METADATA)) {
            metadata(json);
          } else {
            entries.add(entry(json, name));
          }
        }
        if (json.nextToken() != null) {
          throw invalid("has a header with content after its object");
        }
      } catch (JacksonException e) {
        throw new InvalidModelException(
            path, "has a header that is not valid JSON: " + e.getOriginalMessage(), e);
      }
    }

    private void metadata(JsonParser json) throws InvalidModelException {
      while (json.nextToken() == JsonToken.PROPERTY_NAME) {
        String key = json.currentName();
        expect(json, JsonToken.VALUE_STRING, METADATA + " " + key, "a text");
        metadata.put(key, json.getString());
      }
    }

    private Entry entry(JsonParser json, String name) throws InvalidModelException {
      String type = null;
      List<Long> shape = null;
      List<Long> offsets = null;
      while (json.nextToken() == JsonToken.PROPERTY_NAME) {
        String field = json.currentName();
        switch (field) {
          case "dtype" -> {
            expect(json, JsonToken.VALUE_STRING, name + " dtype", "a text");
            type = json.getString();
          }
          case "shape" -> shape = numbers(json, name + " shape");
          case "data_offsets" -> offsets = numbers(json, name + " data_offsets");
          default ->
              throw invalid(
                  "tensor %s has an unknown field %s; must be dtype, shape or data_offsets"
                      .formatted(name, field));
        }
      }
      if (type == null || shape == null || offsets == null) {
        throw invalid(
            "tensor %s is incomplete; must have dtype, shape and data_offsets".formatted(name));
      }
      if (offsets.size() != 2) {
        throw invalid("tensor %s has %d data_offsets; must be 2".formatted(name, offsets.size()));
      }
      return new Entry(name, type, shape, offsets.getFirst(), offsets.getLast());
    }

    private List<Long> numbers(JsonParser json, String what) throws InvalidModelException {
      expect(json, JsonToken.START_ARRAY, what, "a list");
      List<Long> numbers = new ArrayList<>();
      while (json.nextToken() != JsonToken.END_ARRAY) {
        if (json.currentToken() != JsonToken.VALUE_NUMBER_INT
            || json.getNumberType() == JsonParser.NumberType.BIG_INTEGER
            || json.getLongValue() < 0) {
          throw invalid(
              "%s contains %s; must be whole numbers from 0 to 2^63-1"
                  .formatted(what, json.getString()));
        }
        numbers.add(json.getLongValue());
      }
      return numbers;
    }

    private void expect(JsonParser json, JsonToken token, String what, String kind)
        throws InvalidModelException {
      if (json.nextToken() != token) {
        throw invalid("%s is not %s".formatted(what, kind));
      }
    }

    /** Gives each tensor its bytes: no hole, no overlap, no byte left over. */
    private SequencedMap<String, Tensor> lay(MemorySegment data) throws InvalidModelException {
      // An empty tensor lies before the one that begins where it does.
      entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
      SequencedMap<String, Tensor> tensors = LinkedHashMap.newLinkedHashMap(entries.size());
      long offset = 0;
      for (Entry entry : entries) {
        if (entry.end < entry.begin || entry.end > data.byteSize()) {
          throw invalid(
              "tensor %s has data_offsets [%d, %d]; must be ascending and at most %d"
                  .formatted(entry.name, entry.begin, entry.end, data.byteSize()));
        }
        if (entry.begin != offset) {
          throw invalid(
              "tensor %s begins at %d, where %s: the tensor before it ends at %d"
                  .formatted(
                      entry.name,
                      entry.begin,
                      entry.begin > offset ? "a hole is" : "another is",
                      offset));
        }
        requireSize(entry);
        tensors.put(
            entry.name,
            new Tensor(
                entry.name,
                entry.type,
                entry.shape,
                data.asSlice(entry.begin, entry.end - entry.begin)));
        offset = entry.end;
      }
      if (offset != data.byteSize()) {
        throw invalid(
            "has %,d bytes of tensors, but its header describes %,d"
                .formatted(data.byteSize(), offset));
      }
      return tensors;
    }

    private void requireSize(Entry entry) throws InvalidModelException {
      long elements = 1;
      try {
        for (long dim : entry.shape) {
          elements = Math.multiplyExact(elements, dim);
        }
        if (!ElementType.isKnown(entry.type)) {
          return; // copied as it is, whatever an element takes
        }
        long bits = Math.multiplyExact(elements, ElementType.bits(entry.type));
        if (bits % Byte.SIZE != 0 || bits / Byte.SIZE != entry.end - entry.begin) {
          throw invalid(
              "tensor %s of type %s and shape %s has %d bytes; must be %s"
                  .formatted(
                      entry.name,
                      entry.type,
                      entry.shape,
                      entry.end - entry.begin,
                      bits % Byte.SIZE == 0 ? bits / Byte.SIZE : "whole bytes"));
        }
      } catch (ArithmeticException e) {
        throw new InvalidModelException(
            path,
            "tensor %s of shape %s has more than 2^63-1 bits".formatted(entry.name, entry.shape),
            e);
      }
    }

    private InvalidModelException invalid(String rule) {
      return new InvalidModelException(path, rule);
    }
  }
}

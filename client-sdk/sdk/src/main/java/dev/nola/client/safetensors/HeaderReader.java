package dev.nola.client.safetensors;

import dev.nola.client.JsonProblem;
import dev.nola.format.LimitExceededException;
import dev.nola.reconstruct.Budget;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/** Reads and checks the header of a safetensors file, and finds the bytes of each tensor. */
final class HeaderReader {
  private static final int LENGTH_BYTES = Long.BYTES;
  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /**
   * Everything that a header says.
   *
   * @param tensors the tensors by name, in the order of their bytes
   * @param metadata the texts of {@code __metadata__}; empty if there are none
   */
  record Header(SequencedMap<String, Tensor> tensors, Map<String, String> metadata) {}

  /** What the header says of a tensor. */
  private record Entry(String name, String type, List<Long> shape, long begin, long end) {}

  private final Path path;
  private final MemorySegment file;
  private final List<Entry> entries = new ArrayList<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  HeaderReader(Path path, MemorySegment file) {
    this.path = path;
    this.file = file;
  }

  /**
   * Reads the header.
   *
   * @throws InvalidModelException if it breaks a rule of the format
   * @throws LimitExceededException if Java's heap cannot hold it
   */
  Header read() throws IOException {
    Optional<String> foreign = ForeignContainer.describe(file);
    if (foreign.isPresent()) {
      throw invalid(foreign.get());
    }
    if (file.byteSize() < LENGTH_BYTES) {
      throw invalid(
          "has %d bytes; must have at least 8, for the length of the header"
              .formatted(file.byteSize()));
    }
    long length = file.get(LENGTH, 0);
    if (length < 0 || length > SafetensorsFile.MAX_HEADER) {
      throw invalid(
          String.format(
              Locale.ROOT,
              "declares a header of %s bytes; limit is %,d",
              Long.toUnsignedString(length),
              SafetensorsFile.MAX_HEADER));
    }
    if (length > file.byteSize() - LENGTH_BYTES) {
      throw invalid(
          String.format(
              Locale.ROOT,
              "declares a header of %,d bytes, but is only %,d bytes long",
              length,
              file.byteSize()));
    }
    requireMemory(length);
    byte[] header = file.asSlice(LENGTH_BYTES, length).toArray(ValueLayout.JAVA_BYTE);
    if (header.length == 0 || header[0] != '{') {
      throw invalid("has a header that does not begin with {");
    }
    requireUtf8(header);
    parse(header);
    return new Header(layOut(file.asSlice(LENGTH_BYTES + length)), metadata);
  }

  /** Refuses a header that Java's heap cannot hold, before it is read. */
  private void requireMemory(long length) throws LimitExceededException {
    long required = length * SafetensorsFile.HEAP_PER_HEADER;
    long limit = Budget.standard().memoryBytes();
    if (required > limit) {
      throw new LimitExceededException(
          LimitExceededException.Limit.MEMORY,
          required,
          String.format(
              Locale.ROOT,
              "%s has a header of %,d bytes, for which %,d bytes of memory are needed; limit is %,d",
              path,
              length,
              required,
              limit));
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
        boolean isMetadata = name.equals(SafetensorsFile.METADATA);
        if (json.nextToken() == JsonToken.VALUE_NULL && isMetadata) {
          continue; // the reference reader takes it as absent
        }
        requireToken(json, JsonToken.START_OBJECT, name, "an object");
        if (isMetadata) {
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
          path, "has a header that is not valid JSON: " + JsonProblem.of(e), e);
    }
  }

  private void metadata(JsonParser json) throws InvalidModelException {
    while (json.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = json.currentName();
      expect(json, JsonToken.VALUE_STRING, SafetensorsFile.METADATA + " " + key, "a text");
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
    json.nextToken();
    requireToken(json, token, what, kind);
  }

  private void requireToken(JsonParser json, JsonToken token, String what, String kind)
      throws InvalidModelException {
    if (json.currentToken() != token) {
      throw invalid("%s is not %s".formatted(what, kind));
    }
  }

  /** Finds the bytes of each tensor; requires that none overlap and no byte is left over. */
  private SequencedMap<String, Tensor> layOut(MemorySegment data) throws InvalidModelException {
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
            "tensor %s begins at %d; must begin at %d, without a hole or an overlap"
                .formatted(entry.name, entry.begin, offset));
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
          String.format(
              Locale.ROOT,
              "has %,d bytes of tensors, but its header describes %,d",
              data.byteSize(),
              offset));
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

package dev.nola.client.safetensors;

import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** The beginning of a safetensors file, which says where each tensor is. Immutable. */
public final class SafetensorsHeader {
  private static final int ALIGNMENT = 8;

  private final byte[] bytes;
  private final SequencedMap<String, Long> offsets = new LinkedHashMap<>();
  private final long fileBytes;

  private SafetensorsHeader(List<Slot> ordered, byte[] json) {
    bytes =
        ByteBuffer.allocate(Long.BYTES + json.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(json.length)
            .put(json)
            .array();
    long offset = bytes.length;
    for (Slot slot : ordered) {
      if (offsets.put(slot.name(), offset) != null) {
        throw new IllegalArgumentException(
            "tensor listed twice: " + slot.name() + "; names must be unique");
      }
      offset += slot.bytes();
    }
    fileBytes = offset;
  }

  /**
   * Lays out a file. Tensors keep the order given, but for wider types coming first, so that every
   * element lies where its type may be read.
   *
   * @param tensors the tensors to make room for
   * @param metadata what {@code __metadata__} should say; empty for none
   * @return the header
   * @throws IllegalArgumentException if two tensors have one name, or there are more than a header
   *     can name
   */
  public static SafetensorsHeader of(Collection<Slot> tensors, Map<String, String> metadata) {
    List<Slot> ordered =
        tensors.stream()
            .sorted(Comparator.comparingInt(slot -> -ElementType.alignment(slot.type())))
            .toList();
    return new SafetensorsHeader(ordered, json(ordered, metadata));
  }

  /**
   * Returns the bytes before the first tensor.
   *
   * @return a copy
   */
  public byte[] bytes() {
    return bytes.clone();
  }

  /**
   * Returns where a tensor begins.
   *
   * @param tensor one of the file's
   * @return bytes from the beginning of the file
   */
  public long offsetOf(String tensor) {
    return Objects.requireNonNull(offsets.get(tensor), tensor);
  }

  /**
   * Returns the size of the file.
   *
   * @return bytes of header and tensors
   */
  public long fileBytes() {
    return fileBytes;
  }

  private static byte[] json(List<Slot> tensors, Map<String, String> metadata) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json =
        new JsonFactory().createGenerator(ObjectWriteContext.empty(), bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectPropertyStart(SafetensorsFile.METADATA);
        metadata.forEach(json::writeStringProperty);
        json.writeEndObject();
      }
      long position = 0;
      for (Slot slot : tensors) {
        json.writeObjectPropertyStart(slot.name());
        json.writeStringProperty("dtype", slot.type());
        json.writeArrayPropertyStart("shape");
        slot.shape().forEach(json::writeNumber);
        json.writeEndArray();
        json.writeArrayPropertyStart("data_offsets");
        json.writeNumber(position);
        json.writeNumber(Math.addExact(position, slot.bytes()));
        json.writeEndArray();
        json.writeEndObject();
        position += slot.bytes();
      }
      json.writeEndObject();
    }
    if (bytes.size() > SafetensorsFile.MAX_HEADER - ALIGNMENT) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%,d tensors need a header of %,d bytes; limit is %,d",
              tensors.size(),
              bytes.size(),
              SafetensorsFile.MAX_HEADER));
    }
    byte[] json = bytes.toByteArray();
    byte[] padded = Arrays.copyOf(json, Math.ceilDiv(json.length, ALIGNMENT) * ALIGNMENT);
    Arrays.fill(padded, json.length, padded.length, (byte) ' ');
    return padded;
  }
}

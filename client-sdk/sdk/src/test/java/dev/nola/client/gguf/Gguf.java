package dev.nola.client.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A GGUF file byte by byte. */
public final class Gguf {
  private final ByteArrayOutputStream metadata = new ByteArrayOutputStream();
  private final ByteArrayOutputStream entries = new ByteArrayOutputStream();
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();
  private int metadataCount;
  private int tensorCount;

  public Gguf text(String key, String value) throws IOException {
    key(key, 8).write(string(value));
    return this;
  }

  public Gguf integer(String key, int value) throws IOException {
    key(key, 4).write(int32(value));
    return this;
  }

  public Gguf number(String key, float value) throws IOException {
    key(key, 6).write(int32(Float.floatToIntBits(value)));
    return this;
  }

  public Gguf isSet(String key, boolean value) throws IOException {
    key(key, 7).write(value ? 1 : 0);
    return this;
  }

  public Gguf texts(String key, List<String> values) throws IOException {
    list(key, 8, values.size());
    for (String value : values) {
      metadata.write(string(value));
    }
    return this;
  }

  public Gguf numbers(String key, List<Float> values) throws IOException {
    list(key, 6, values.size());
    for (float value : values) {
      metadata.write(int32(Float.floatToIntBits(value)));
    }
    return this;
  }

  public Gguf integers(String key, List<Integer> values) throws IOException {
    list(key, 5, values.size());
    for (int value : values) {
      metadata.write(int32(value));
    }
    return this;
  }

  /** Adds a tensor; its shape has the outermost dimension first. */
  public Gguf tensor(String name, int type, List<Integer> shape, byte[] bytes) throws IOException {
    tensorCount++;
    entries.write(string(name));
    entries.write(int32(shape.size()));
    for (int size : shape.reversed()) {
      entries.write(int64(size));
    }
    entries.write(int32(type));
    entries.write(int64(data.size()));
    data.write(bytes);
    data.write(new byte[Math.floorMod(-bytes.length, 32)]);
    return this;
  }

  /** Adds a tensor of f32. */
  public Gguf tensor(String name, List<Integer> shape, float... values) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return tensor(name, 0, shape, bytes.array());
  }

  public byte[] bytes() throws IOException {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.write("GGUF".getBytes(StandardCharsets.US_ASCII));
    file.write(int32(3));
    file.write(int64(tensorCount));
    file.write(int64(metadataCount));
    file.write(metadata.toByteArray());
    file.write(entries.toByteArray());
    file.write(new byte[Math.floorMod(-file.size(), 32)]);
    file.write(data.toByteArray());
    return file.toByteArray();
  }

  public Path write(Path path) throws IOException {
    return Files.write(path, bytes());
  }

  private ByteArrayOutputStream key(String key, int type) throws IOException {
    metadataCount++;
    metadata.write(string(key));
    metadata.write(int32(type));
    return metadata;
  }

  private void list(String key, int type, int count) throws IOException {
    key(key, 9).write(int32(type));
    metadata.write(int64(count));
  }

  private static byte[] string(String value) throws IOException {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(int64(utf8.length));
    bytes.write(utf8);
    return bytes.toByteArray();
  }

  private static byte[] int32(int value) {
    return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  private static byte[] int64(long value) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
  }

  /** Bytes given as numbers from 0 to 255; those that are missing at the end are 0. */
  public static byte[] block(int size, int... values) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }
}

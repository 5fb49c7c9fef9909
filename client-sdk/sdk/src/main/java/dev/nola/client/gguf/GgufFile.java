package dev.nola.client.gguf;

import dev.nola.client.safetensors.InvalidModelException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.SequencedMap;

/**
 * One GGUF file, memory-mapped whole. Thread-safe; the tensors' bytes are valid until it is closed.
 */
public final class GgufFile implements AutoCloseable {
  private final Path path;
  private final Arena arena;
  private final SequencedMap<String, Object> metadata;
  private final SequencedMap<String, GgufTensor> tensors;

  private GgufFile(Path path, Arena arena, GgufHeader header) {
    this.path = path;
    this.arena = arena;
    this.metadata = Collections.unmodifiableSequencedMap(header.metadata());
    this.tensors = Collections.unmodifiableSequencedMap(header.tensors());
  }

  /**
   * Returns whether a file begins as a GGUF file does.
   *
   * @param path a file or folder
   * @return true if it is a file with the magic of GGUF
   * @throws IOException if it cannot be read
   */
  public static boolean isGguf(Path path) throws IOException {
    if (!Files.isRegularFile(path)) {
      return false;
    }
    try (var in = Files.newInputStream(path)) {
      byte[] magic = in.readNBytes(GgufHeader.MAGIC.length);
      return Arrays.equals(magic, GgufHeader.MAGIC);
    }
  }

  /**
   * Opens a file and checks all of its header.
   *
   * @param path the file
   * @return the open file
   * @throws InvalidModelException if it breaks a rule of the format, or has a tensor of a type that
   *     cannot be read
   * @throws IOException if it cannot be read
   */
  public static GgufFile open(Path path) throws IOException {
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MemorySegment mapped =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena).asReadOnly();
      return new GgufFile(path, arena, GgufHeader.read(path, mapped));
    } catch (IOException | RuntimeException e) {
      arena.close();
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
   * Returns the tensors by name, in the order of the file.
   *
   * @return the tensors
   */
  public SequencedMap<String, GgufTensor> tensors() {
    return tensors;
  }

  /**
   * Returns a text of the metadata.
   *
   * @param key its key
   * @return the text; empty if absent or of another type
   */
  public Optional<String> text(String key) {
    return metadata.get(key) instanceof String text ? Optional.of(text) : Optional.empty();
  }

  /**
   * Returns a whole number of the metadata.
   *
   * @param key its key
   * @return the number; empty if absent or of another type
   */
  public OptionalLong integer(String key) {
    return metadata.get(key) instanceof Long number
        ? OptionalLong.of(number)
        : OptionalLong.empty();
  }

  /**
   * Returns a floating-point number of the metadata.
   *
   * @param key its key
   * @return the number, with an f32's shortest decimal form; empty if absent or of another type
   */
  public OptionalDouble number(String key) {
    return metadata.get(key) instanceof Double number
        ? OptionalDouble.of(number)
        : OptionalDouble.empty();
  }

  /**
   * Returns a switch of the metadata.
   *
   * @param key its key
   * @return its value; empty if absent or of another type
   */
  public Optional<Boolean> isSet(String key) {
    return metadata.get(key) instanceof Boolean value ? Optional.of(value) : Optional.empty();
  }

  /**
   * Returns a list of the metadata.
   *
   * @param key its key
   * @param type class of its elements: String, Long, Double or Boolean
   * @param <T> this class
   * @return the list; empty if absent, or if its elements are of another type
   */
  public <T> List<T> list(String key, Class<T> type) {
    return metadata.get(key) instanceof List<?> values && values.stream().allMatch(type::isInstance)
        ? values.stream().map(type::cast).toList()
        : List.of();
  }

  @Override
  public void close() {
    arena.close();
  }
}

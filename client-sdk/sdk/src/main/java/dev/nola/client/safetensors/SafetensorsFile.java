package dev.nola.client.safetensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.Map;
import java.util.SequencedMap;

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
      HeaderReader.Header header = new HeaderReader(path, file).read();
      return new SafetensorsFile(arena, channel, file, path, header.tensors(), header.metadata());
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
   * @throws IllegalArgumentException if the tensor does not exist
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
}

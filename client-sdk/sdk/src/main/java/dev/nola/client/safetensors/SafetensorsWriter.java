package dev.nola.client.safetensors;

import dev.nola.format.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Writes one safetensors file. All sizes are known before the first byte, so its parts may be
 * written in any order and by any number of threads.
 */
public final class SafetensorsWriter implements AutoCloseable {
  /** The size of a buffer is an int. */
  private static final long MOST_NATIVE = 1 << 30;

  /** Bytes that are copied before they are written. */
  private static final long MOST_HEAP = 1 << 22;

  private final Path path;
  private final FileChannel channel;
  private final SafetensorsHeader header;

  /**
   * What is to be written of a tensor.
   *
   * @param name its name
   * @param type its type as safetensors writes it
   * @param shape its dimensions
   * @param bytes how many it takes
   */
  public record Slot(String name, String type, List<Long> shape, long bytes) {
    /** Copies the shape. */
    public Slot {
      shape = List.copyOf(shape);
    }

    /**
     * Describes a matrix.
     *
     * @param name its name
     * @param dtype type of its elements
     * @param rows number of rows
     * @param cols number of columns
     * @return the room that it takes
     */
    public static Slot matrix(String name, DType dtype, long rows, long cols) {
      return new Slot(name, dtype.name(), List.of(rows, cols), rows * cols * dtype.bytes());
    }
  }

  private SafetensorsWriter(Path path, FileChannel channel, SafetensorsHeader header) {
    this.path = path;
    this.channel = channel;
    this.header = header;
  }

  /**
   * Begins a file: writes its header and leaves room for the tensors. They keep the order given,
   * but for wider types coming first, so that every element lies where its type may be read.
   *
   * @param path a file that is not there yet
   * @param tensors the tensors to make room for
   * @param metadata what {@code __metadata__} should say; empty for none
   * @return the writer
   * @throws IOException if it is there already, or cannot be written
   * @throws IllegalArgumentException if two tensors have one name, or there are more than a header
   *     can name
   */
  public static SafetensorsWriter create(
      Path path, Collection<Slot> tensors, Map<String, String> metadata) throws IOException {
    return create(path, SafetensorsHeader.of(tensors, metadata));
  }

  /**
   * Begins a file: writes its header and leaves room for the tensors.
   *
   * @param path a file that is not there yet
   * @param header says where the tensors are
   * @return the writer
   * @throws IOException if it is there already, or cannot be written
   */
  public static SafetensorsWriter create(Path path, SafetensorsHeader header) throws IOException {
    FileChannel channel =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    SafetensorsWriter writer = new SafetensorsWriter(path, channel, header);
    try {
      writer.write(ByteBuffer.wrap(header.bytes()), 0);
      return writer;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /**
   * Writes a whole tensor.
   *
   * @param tensor the tensor's name
   * @param data all of its bytes
   */
  public void write(String tensor, MemorySegment data) throws IOException {
    write(tensor, 0, data);
  }

  /**
   * Writes a part of a tensor.
   *
   * @param tensor the tensor's name
   * @param first number of its first byte in the tensor
   * @param data the bytes to write
   */
  public void write(String tensor, long first, MemorySegment data) throws IOException {
    write(header.offsetOf(tensor) + first, data);
  }

  /**
   * Writes a part of the file, of one tensor or several.
   *
   * @param place where it begins, in bytes from the beginning of the file
   * @param data the bytes to write
   */
  public void write(long place, MemorySegment data) throws IOException {
    long maximum = data.isNative() ? MOST_NATIVE : MOST_HEAP;
    for (long done = 0; done < data.byteSize(); done += maximum) {
      MemorySegment part = data.asSlice(done, Math.min(maximum, data.byteSize() - done));
      // An array of other elements than bytes has no view as a buffer.
      write(
          part.isNative()
              ? part.asByteBuffer()
              : ByteBuffer.wrap(part.toArray(ValueLayout.JAVA_BYTE)),
          place + done);
    }
  }

  private void write(ByteBuffer bytes, long place) throws IOException {
    try {
      for (long position = place; bytes.hasRemaining(); ) {
        position += channel.write(bytes, position);
      }
    } catch (ClosedChannelException e) {
      throw e; // closed meanwhile, by an interrupt say
    } catch (IOException e) {
      throw (FileSystemException)
          new FileSystemException(path.toString(), null, e.getMessage()).initCause(e);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}

package dev.nola.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.util.Set;
import java.util.UUID;

/**
 * Replaces files atomically: readers see the old file or all of the new one, also after a crash.
 *
 * <p>The one policy for durability: the content is forced to disk before the rename, and the
 * directory after it, so that a file that was reported as written is still there after a power
 * failure.
 */
public final class AtomicFile {
  private static final boolean DIRECTORIES_CAN_BE_FORCED =
      !System.getProperty("os.name").startsWith("Windows");

  private AtomicFile() {}

  /** Writes the content of a file. */
  @FunctionalInterface
  public interface Content {
    /**
     * Writes all bytes of the file.
     *
     * @param channel the new, empty file
     * @throws IOException if it cannot be written
     */
    void writeTo(FileChannel channel) throws IOException;
  }

  /**
   * Creates or replaces a file.
   *
   * @param file the file; its directory must exist
   * @param content its bytes
   * @param attributes what the new file has from the start, such as {@link
   *     UserDirectories#ownerOnly}; by default the permissions of any new file
   * @throws IOException if it cannot be written; the old file, if any, is then unchanged and
   *     nothing else is left behind
   */
  public static void write(Path file, byte[] content, FileAttribute<?>... attributes)
      throws IOException {
    write(
        file,
        channel -> {
          ByteBuffer rest = ByteBuffer.wrap(content);
          while (rest.hasRemaining()) {
            channel.write(rest);
          }
        },
        attributes);
  }

  /**
   * Creates or replaces a file whose bytes are produced while it is written.
   *
   * @param file the file; its directory must exist
   * @param content writes its bytes
   * @param attributes what the new file has from the start, such as {@link
   *     UserDirectories#ownerOnly}; by default the permissions of any new file
   * @throws IOException if it cannot be written; the old file, if any, is then unchanged and
   *     nothing else is left behind
   */
  public static void write(Path file, Content content, FileAttribute<?>... attributes)
      throws IOException {
    Path temporary = temporaryFor(file);
    try {
      // Not Files.createTempFile, which makes the file readable by its owner alone.
      try (FileChannel channel =
          FileChannel.open(
              temporary,
              Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW),
              attributes)) {
        content.writeTo(channel);
        channel.force(true);
      }
      rename(temporary, file);
    } catch (IOException e) {
      throw e.getClass().equals(IOException.class) ? named(file, e) : e;
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** Names the file in a failure that does not, such as that of a full disk. */
  private static FileSystemException named(Path file, IOException failure) {
    FileSystemException named =
        new FileSystemException(file.toString(), null, failure.getMessage());
    named.initCause(failure);
    return named;
  }

  /**
   * Names a file to write before {@link #promote}: hidden, unique, in the same directory.
   *
   * @param file the destination
   * @return a path beside it that does not exist yet
   * @throws IOException if {@code file} is the root of a file system
   */
  public static Path temporaryFor(Path file) throws IOException {
    Path absolute = file.toAbsolutePath();
    if (absolute.getFileName() == null) {
      throw new IOException("not a file: " + file + "; it is a directory");
    }
    return absolute.resolveSibling(
        "." + absolute.getFileName() + "." + UUID.randomUUID() + ".part");
  }

  /**
   * Moves a complete file to its destination, replacing what is there.
   *
   * @param complete a file on the same file system, closed; gone afterwards
   * @param file the destination; its directory must exist
   * @throws IOException if it cannot be forced to disk or renamed
   */
  public static void promote(Path complete, Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(complete, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    rename(complete, file);
  }

  /**
   * Forces the entries of a directory to disk, such as a file that was just renamed into it.
   *
   * @param directory an existing directory
   * @throws IOException if that fails; never where the operating system cannot open a directory
   */
  public static void forceDirectory(Path directory) throws IOException {
    if (!DIRECTORIES_CAN_BE_FORCED) {
      return;
    }
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static void rename(Path complete, Path file) throws IOException {
    Files.move(complete, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    forceDirectory(file.toAbsolutePath().getParent());
  }
}

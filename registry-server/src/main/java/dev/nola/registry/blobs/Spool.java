package dev.nola.registry.blobs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** A local folder of uploads that are not committed yet, which knows those of this process. */
final class Spool {
  private final Path folder;
  private final Clock clock;
  private final Set<Path> inUse = ConcurrentHashMap.newKeySet();

  private Spool(Path folder, Clock clock) {
    this.folder = folder;
    this.clock = clock;
  }

  /**
   * Opens the folder; creates it if it is missing.
   *
   * @param folder of the uploads
   * @param clock that ages are measured by
   * @return the spool
   * @throws IOException if the folder cannot be created
   */
  static Spool open(Path folder, Clock clock) throws IOException {
    return new Spool(Files.createDirectories(folder), clock);
  }

  /**
   * Returns an unused path, which no clean-up takes for abandoned until it is released.
   *
   * @return path in the folder; the file does not exist yet
   */
  Path reserve() {
    Path file = folder.resolve(UUID.randomUUID().toString());
    inUse.add(file);
    return file;
  }

  /**
   * Ends the use of a path.
   *
   * @param file as it was reserved
   */
  void release(Path file) {
    inUse.remove(file);
  }

  /**
   * Creates a file of a reserved path.
   *
   * @param file as it was reserved
   * @return the empty file, open for writing
   * @throws IOException if it cannot be created
   */
  static FileChannel create(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  /**
   * Writes a byte to the disk and removes it.
   *
   * @throws IOException if the folder takes no files
   */
  void check() throws IOException {
    Path probe = reserve();
    try (FileChannel channel = create(probe)) {
      channel.write(ByteBuffer.wrap(new byte[] {1}));
      channel.force(true);
    } finally {
      Files.deleteIfExists(probe);
      release(probe);
    }
  }

  /**
   * Removes the files of uploads that were never closed; see {@link
   * BlobStore#removeAbandonedUploads}.
   *
   * @param olderThan how long ago a file must have been modified
   * @return the number of files removed
   * @throws IllegalArgumentException if {@code olderThan} is negative
   * @throws IOException if the folder cannot be read
   */
  int removeAbandoned(Duration olderThan) throws IOException {
    if (olderThan.isNegative()) {
      throw new IllegalArgumentException(
          "invalid olderThan: " + olderThan + "; must not be negative");
    }
    Instant cutoff = clock.instant().minus(olderThan);
    int removed = 0;
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        if (isOlder(file, cutoff) && !inUse.contains(file) && Files.deleteIfExists(file)) {
          removed++;
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return removed;
  }

  private static boolean isOlder(Path file, Instant cutoff) throws IOException {
    try {
      return Files.getLastModifiedTime(file).toInstant().isBefore(cutoff);
    } catch (NoSuchFileException _) {
      return false; // closed since
    }
  }
}

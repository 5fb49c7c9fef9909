package dev.nola.files;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;

/**
 * A new file or directory that is written beside its destination, under a hidden name, and renamed
 * when it is complete: the destination holds nothing or all of it.
 *
 * <p>Unlike {@link AtomicFile} it never replaces anything, and does not force the content to disk:
 * a merged model of many gigabytes can be made again.
 */
public final class StagedOutput implements AutoCloseable {
  private final Path destination;
  private final Path path;

  private StagedOutput(Path destination) {
    this.destination = destination;
    this.path =
        destination.resolveSibling(
            "." + destination.getFileName() + ".partial-" + UUID.randomUUID());
  }

  /**
   * Begins an output; nothing is created yet.
   *
   * @param destination must not exist; its directory must
   * @return the output, to be {@linkplain #finish finished} and closed
   * @throws FileAlreadyExistsException if the destination exists, even as a broken link
   * @throws NoSuchFileException if its directory does not exist
   * @throws IOException if {@code destination} cannot be examined
   */
  public static StagedOutput begin(Path destination) throws IOException {
    Destination.requireNew(destination);
    return new StagedOutput(destination.toAbsolutePath().normalize());
  }

  /**
   * Copies a file, beside the destination, which appears when it is complete.
   *
   * @param source the file
   * @param destination must not exist; its directory must
   * @throws IOException if the destination exists, or cannot be written
   */
  public static void copy(Path source, Path destination) throws IOException {
    try (StagedOutput copy = begin(destination)) {
      Files.copy(source, copy.path());
      copy.finish();
    }
  }

  /**
   * Returns the place to write to.
   *
   * @return a path beside the destination; the caller creates a file or directory there
   */
  public Path path() {
    return path;
  }

  /**
   * Renames what was written to the destination.
   *
   * @throws IOException if nothing was written or it cannot be renamed
   */
  public void finish() throws IOException {
    Files.move(path, destination, StandardCopyOption.ATOMIC_MOVE);
  }

  /**
   * Deletes what was written, unless it was finished.
   *
   * @throws IOException if something cannot be deleted
   */
  @Override
  public void close() throws IOException {
    FileTree.delete(path);
  }
}

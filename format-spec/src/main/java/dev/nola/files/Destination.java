package dev.nola.files;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Checks a path to write to before the work whose result is written there. */
public final class Destination {
  private Destination() {}

  /**
   * Requires that a new file or directory can be created.
   *
   * @param destination must not exist; its directory must
   * @throws FileAlreadyExistsException if the destination exists, even as a broken link
   * @throws NoSuchFileException if its directory does not exist
   * @throws IOException if {@code destination} cannot be examined
   */
  public static void requireNew(Path destination) throws IOException {
    if (Files.exists(destination, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileAlreadyExistsException(
          destination.toString(), null, "already exists; remove it, or choose another file");
    }
    requireFolder(destination);
  }

  /**
   * Requires that a file can be created or replaced.
   *
   * @param destination must not be a directory; its own must exist
   * @throws FileSystemException if it is a directory
   * @throws NoSuchFileException if its directory does not exist
   * @throws IOException if {@code destination} cannot be examined
   */
  public static void requireFile(Path destination) throws IOException {
    if (Files.isDirectory(destination)) {
      throw new FileSystemException(
          destination.toString(), null, "is a folder; name a file to write");
    }
    requireFolder(destination);
  }

  private static void requireFolder(Path destination) throws IOException {
    Path parent = destination.toAbsolutePath().normalize().getParent();
    if (parent == null || !Files.isDirectory(parent)) {
      throw new NoSuchFileException(
          destination.toString(), null, "its parent folder does not exist; create it first");
    }
  }
}

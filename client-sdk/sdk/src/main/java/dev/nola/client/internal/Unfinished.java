package dev.nola.client.internal;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A file or folder that is written beside its destination, under a hidden name, and renamed to it
 * when it is complete. Whoever looks at the destination sees nothing, or all of it.
 */
public final class Unfinished implements AutoCloseable {
  private final Path destination;
  private final Path path;

  private Unfinished(Path destination) {
    this.destination = destination;
    this.path =
        destination.resolveSibling(
            "." + destination.getFileName() + ".partial-" + UUID.randomUUID());
  }

  /**
   * Begins; nothing is created yet.
   *
   * @param destination must not exist; its folder must
   * @throws FileAlreadyExistsException if it exists, be it as a link to nowhere
   * @throws NoSuchFileException if its folder does not
   */
  public static Unfinished at(Path destination) throws IOException {
    if (Files.exists(destination, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileAlreadyExistsException(
          destination.toString(), null, "exists already; remove it, or choose another destination");
    }
    Path absolute = destination.toAbsolutePath().normalize();
    Path parent = absolute.getParent();
    if (parent == null || !Files.isDirectory(parent)) {
      throw new NoSuchFileException(
          destination.toString(), null, "the folder that should hold it does not exist");
    }
    return new Unfinished(absolute);
  }

  /** Where to write. */
  public Path path() {
    return path;
  }

  /** Renames what was written to the destination. */
  public void finish() throws IOException {
    Files.move(path, destination, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Removes what was not finished. */
  @Override
  public void close() throws IOException {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Files.walkFileTree(
        path,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
              throws IOException {
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}

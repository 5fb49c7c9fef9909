package dev.nola.registry.data;

import dev.nola.files.AtomicFile;
import dev.nola.files.UserDirectories;
import jakarta.annotation.PreDestroy;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.function.Supplier;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;

/**
 * The data directory: blobs, the admin token and, if the server runs its own, the database. Servers
 * with a common external database share it; a server with its own database locks it.
 */
@Component
public final class DataDirectory {
  private static final int SECRET_BYTES = 32;

  /** Name of the file that keeps a second server out. */
  static final String LOCK = "lock";

  private final Path root;
  private final FileChannel lockFile;

  /**
   * Opens the directory; creates it if it is absent.
   *
   * @param path of the directory; a text, since Spring takes a path such as {@code ../data} for one
   *     within the class path
   * @param database URL of an external database; empty if the directory has the database
   * @throws StartFailure if it cannot be created, or another server has locked it
   */
  DataDirectory(
      @Value("${nola.data}") String path, @Value("${nola.database.url:}") String database) {
    this.root = Path.of(path).toAbsolutePath().normalize();
    boolean shared = !database.isEmpty();
    try {
      createPrivate(this.root);
      lockFile =
          FileChannel.open(
              this.root.resolve(LOCK),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      if (!lock(lockFile, shared)) {
        lockFile.close();
        throw new StartFailure(
            "data directory in use by another server: " + this.root,
            "Stop that server, or choose another directory with --data. Servers can share one only"
                + " if all of them use the same database with --database-url.",
            new IOException("locked"));
      }
    } catch (IOException e) {
      throw new StartFailure(
          "data directory cannot be used: " + this.root + ": " + reason(e),
          "Choose a writable directory with --data.",
          e);
    }
  }

  /**
   * Returns why a file or the directory cannot be used.
   *
   * @param failure of using it
   * @return the reason in words
   */
  public static String reason(IOException failure) {
    return switch (failure) {
      case AccessDeniedException e -> "permission denied for " + e.getFile();
      case FileAlreadyExistsException e -> e.getFile() + " is not a directory";
      case FileSystemException e when e.getReason() != null -> e.getReason();
      default -> failure.getMessage() == null ? failure.toString() : failure.getMessage();
    };
  }

  /**
   * Returns a path within the directory.
   *
   * @param name relative to the directory
   * @return the path
   */
  public Path resolve(String name) {
    return root.resolve(name);
  }

  /** Unlocks the directory when the server stops. */
  @PreDestroy
  void close() throws IOException {
    lockFile.close();
  }

  private static boolean lock(FileChannel file, boolean shared) throws IOException {
    try {
      return file.tryLock(0, Long.MAX_VALUE, shared) != null;
    } catch (OverlappingFileLockException _) {
      return shared; // held by another server within this JVM, for the whole of it
    }
  }

  /**
   * Creates a folder, and its missing parents, that only its owner can enter.
   *
   * @param folder left as it is if it exists
   * @return the folder
   * @throws IOException if it cannot be created
   */
  public static Path createPrivate(Path folder) throws IOException {
    return Files.isDirectory(folder)
        ? folder
        : Files.createDirectories(folder, UserDirectories.ownerOnly("rwx------"));
  }

  /**
   * Creates or replaces a file that only its owner can read.
   *
   * @param file the file; its directory must exist
   * @param text its content
   * @throws IOException if it cannot be written; the old file, if any, is then unchanged
   */
  public static void writePrivate(Path file, String text) throws IOException {
    AtomicFile.write(
        file, text.getBytes(StandardCharsets.UTF_8), UserDirectories.ownerOnly("rw-------"));
  }

  /**
   * Reads a secret; the first server of those that share the directory makes it.
   *
   * @param name of its file
   * @param fresh makes a new one
   * @return the secret, the same for all servers
   * @throws IOException if it cannot be read, or made
   */
  public String secret(String name, Supplier<String> fresh) throws IOException {
    Path file = resolve(name);
    if (!Files.exists(file)) {
      Path complete = AtomicFile.temporaryFor(file);
      writePrivate(complete, fresh.get() + "\n");
      try {
        link(file, complete);
      } catch (FileAlreadyExistsException _) {
        // another server was faster; its secret is read below
      } finally {
        Files.deleteIfExists(complete);
      }
    }
    return Files.readString(file).strip();
  }

  /** Gives a file its name, unless the name is taken: unlike a move, a link never replaces. */
  private static void link(Path file, Path complete) throws IOException {
    try {
      Files.createLink(file, complete);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (UnsupportedOperationException | FileSystemException _) {
      Files.move(complete, file); // the file system has no links: two servers may then collide
    }
  }

  /**
   * Returns 256 random bits.
   *
   * @return 64 hexadecimal digits
   */
  public static String randomSecret() {
    byte[] bytes = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}

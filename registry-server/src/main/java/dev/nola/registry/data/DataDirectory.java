package dev.nola.registry.data;

import jakarta.annotation.PreDestroy;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;

/**
 * The server's directory: its blobs, its admin token and, if it runs its own, its database. Servers
 * on one database elsewhere share it; one that runs its own has it alone.
 */
@Component
public final class DataDirectory {
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE_FOLDER =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE_FILE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
  private static final int SECRET_BYTES = 32;

  private final Path root;
  private final FileChannel lockFile;

  /**
   * Opens the directory, making it if it is absent.
   *
   * @param database URL of a database elsewhere; empty if the directory is to have it
   * @throws StartFailure if it cannot be made, or a server uses it that does not share it
   */
  DataDirectory(@Value("${nola.data}") Path root, @Value("${nola.database.url:}") String database) {
    this.root = root.toAbsolutePath().normalize();
    boolean shared = !database.isEmpty();
    try {
      createPrivate(this.root);
      lockFile =
          FileChannel.open(
              this.root.resolve("lock"),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      if (!lock(lockFile, shared)) {
        lockFile.close();
        throw new StartFailure(
            "another server uses the data directory " + this.root,
            "End it, or give this one a directory of its own with --data. Servers share one only if"
                + " all of them are given the same database with --database-url.",
            new IOException("locked"));
      }
    } catch (IOException e) {
      throw new StartFailure(
          "the data directory " + this.root + " cannot be used: " + e,
          "Give one that can be written to with --data.",
          e);
    }
  }

  /** A path within the directory. */
  public Path resolve(String name) {
    return root.resolve(name);
  }

  /** Lets the next server have the directory; called when this one ends. */
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
   * Makes a folder, and those above it, that only its owner can enter; leaves one that is there.
   *
   * @return the folder
   */
  public static Path createPrivate(Path folder) throws IOException {
    return Files.isDirectory(folder) ? folder : Files.createDirectories(folder, PRIVATE_FOLDER);
  }

  /** Replaces a file, all at once, by one that only its owner can read. */
  public static void writePrivate(Path file, String text) throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(fresh);
    Files.createFile(fresh, PRIVATE_FILE);
    Files.writeString(fresh, text, StandardOpenOption.SYNC);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /** 256 random bits as 64 hexadecimal digits. */
  public static String randomSecret() {
    byte[] bytes = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}

package dev.nola.registry.database;

import dev.nola.digest.Sha256;
import dev.nola.files.UserDirectories;
import dev.nola.registry.data.DataDirectory;
import io.zonky.test.db.postgres.embedded.DefaultPostgresBinaryResolver;
import io.zonky.test.db.postgres.util.LinuxUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.springframework.util.FileSystemUtils;
import org.tukaani.xz.XZInputStream;

/** The programs of PostgreSQL, which come packed with this server. */
final class PostgresPrograms {
  private static final int NAME_DIGITS = 32;

  private final Path folder;

  private PostgresPrograms(Path folder) {
    this.folder = folder;
  }

  /**
   * Unpacks the programs, unless that was done before, into the user's cache. The folder is private
   * to the user, so that no other user can replace them.
   *
   * @param fallback folder to use if the user has no home directory
   */
  static PostgresPrograms unpack(Path fallback) throws IOException {
    byte[] archive;
    String machine = System.getProperty("os.arch");
    try (InputStream packed =
        DefaultPostgresBinaryResolver.INSTANCE.getPgBinary(
            System.getProperty("os.name").split(" ")[0],
            machine.equals("amd64") ? "x86_64" : machine)) {
      if (packed == null) {
        throw new IOException(
            "no PostgreSQL comes with this server for %s on %s"
                .formatted(System.getProperty("os.name"), machine));
      }
      archive = packed.readAllBytes();
    }
    Path base = DataDirectory.createPrivate(cache(fallback));
    Path folder = base.resolve("PG-" + Sha256.hash(archive).hex().substring(0, NAME_DIGITS));
    if (!Files.isDirectory(folder)) {
      Path part = Files.createTempDirectory(base, "unpacking-");
      try {
        extract(archive, part);
        Files.move(part, folder, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        if (!Files.isDirectory(folder)) { // else another process was quicker
          throw e;
        }
      } finally {
        FileSystemUtils.deleteRecursively(part);
      }
    }
    return new PostgresPrograms(folder);
  }

  private static Path cache(Path fallback) {
    Map<String, String> environment = System.getenv();
    Path cache = Path.of(environment.getOrDefault("XDG_CACHE_HOME", ""));
    return cache.isAbsolute()
        ? cache.resolve("nola").resolve("postgres")
        : UserDirectories.home(environment)
            .map(home -> home.resolve(".cache").resolve("nola").resolve("postgres"))
            .orElse(fallback);
  }

  private static void extract(byte[] archive, Path target) throws IOException {
    try (TarArchiveInputStream entries =
        new TarArchiveInputStream(new XZInputStream(new ByteArrayInputStream(archive)))) {
      for (TarArchiveEntry entry = entries.getNextEntry();
          entry != null;
          entry = entries.getNextEntry()) {
        Path file = target.resolve(entry.getName()).normalize();
        if (!file.startsWith(target)) {
          throw new IOException("entry outside its folder: " + entry.getName());
        }
        if (entry.isDirectory()) {
          Files.createDirectories(file);
          continue;
        }
        Files.createDirectories(file.getParent());
        if (entry.isSymbolicLink() || entry.isLink()) {
          try {
            Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
          } catch (FileAlreadyExistsException _) {
            // Listed twice.
          }
        } else {
          Files.copy(entries, file, StandardCopyOption.REPLACE_EXISTING);
          if (file.startsWith(target.resolve("bin"))) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
          }
        }
      }
    }
  }

  /**
   * Runs a program to its end.
   *
   * @param log file to which its output is appended
   * @param cluster PostgreSQL's files, passed in the environment: a shell would interpret it
   * @param command name of the program and its arguments
   * @return its exit code
   */
  int run(Path log, Path cluster, String... command) throws IOException {
    List<String> words = new ArrayList<>();
    if (LinuxUtils.isUnshareAvailable()) {
      words.addAll(List.of("unshare", "-U")); // PostgreSQL refuses to run as root
    }
    words.add(folder.resolve("bin").resolve(command[0]).toString());
    words.addAll(List.of(command).subList(1, command.length));
    ProcessBuilder builder =
        new ProcessBuilder(words)
            .redirectErrorStream(true)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().put("PGDATA", cluster.toString());
    Process process = builder.start();
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while " + command[0] + " ran", e);
    }
  }
}

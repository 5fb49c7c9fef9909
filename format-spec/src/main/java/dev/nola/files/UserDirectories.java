package dev.nola.files;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Locates a user's files (XDG Base Directory Specification) and keeps them private to their owner.
 */
public final class UserDirectories {
  private static final boolean POSIX =
      FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

  private UserDirectories() {}

  /**
   * Locates files that can be fetched again.
   *
   * @param environment the process's environment variables
   * @return {@code $NOLA_CACHE}, or {@code ${XDG_CACHE_HOME:-~/.cache}/nola}
   * @throws IllegalArgumentException if that needs a home directory, and there is none
   */
  public static Path cache(Map<String, String> environment) {
    return directory(environment, "NOLA_CACHE", "XDG_CACHE_HOME", ".cache");
  }

  /**
   * Locates settings and credentials.
   *
   * @param environment the process's environment variables
   * @return {@code $NOLA_CONFIG}, or {@code ${XDG_CONFIG_HOME:-~/.config}/nola}
   * @throws IllegalArgumentException if that needs a home directory, and there is none
   */
  public static Path config(Map<String, String> environment) {
    return directory(environment, "NOLA_CONFIG", "XDG_CONFIG_HOME", ".config");
  }

  private static Path directory(
      Map<String, String> environment, String override, String xdgVariable, String fallback) {
    String chosen = environment.getOrDefault(override, "");
    if (!chosen.isEmpty()) {
      return Path.of(chosen).toAbsolutePath();
    }
    Path base = Path.of(environment.getOrDefault(xdgVariable, ""));
    // The specification says to ignore relative paths.
    return (base.isAbsolute()
            ? base
            : home(environment)
                .orElseThrow(
                    () ->
                        new IllegalArgumentException(
                            "home directory unknown: HOME is not set, and the user has no entry in"
                                + " /etc/passwd; set HOME or "
                                + override))
                .resolve(fallback))
        .resolve("nola");
  }

  /**
   * Locates the user's home directory. Prefers {@code $HOME}, as shells do; Java's {@code
   * user.home} is that of the password file, and {@code ?} if the user is not in it.
   *
   * @param environment the process's environment variables
   * @return an absolute path, or empty if it is unknown
   */
  public static Optional<Path> home(Map<String, String> environment) {
    return Stream.of(environment.getOrDefault("HOME", ""), System.getProperty("user.home", ""))
        .map(Path::of)
        .filter(Path::isAbsolute)
        .findFirst();
  }

  /**
   * Creates a directory that only its owner may enter, and its parents as usual.
   *
   * @param directory the directory; left as it is if it exists
   * @throws IOException if it cannot be created
   */
  public static void createPrivate(Path directory) throws IOException {
    if (Files.isDirectory(directory)) {
      return;
    }
    Path parent = directory.toAbsolutePath().getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    try {
      Files.createDirectory(directory, ownerOnly("rwx------"));
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(directory)) { // else another process was quicker
        throw e;
      }
    }
  }

  /**
   * Returns permissions for a new file or directory.
   *
   * @param permissions in the form {@code rwx------}
   * @return attributes for the call that creates it; empty where the file system has no such
   *     permissions
   */
  public static FileAttribute<?>[] ownerOnly(String permissions) {
    return POSIX
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }

  /**
   * Tests whether anyone but its owner may read or write a file.
   *
   * @param file an existing file
   * @return whether group or others may; false where the file system has no such permissions
   * @throws IOException if its permissions cannot be read
   */
  public static boolean isOpenToOthers(Path file) throws IOException {
    return POSIX
        && PosixFilePermissions.toString(Files.getPosixFilePermissions(file))
            .substring(3)
            .matches(".*[rw].*");
  }
}

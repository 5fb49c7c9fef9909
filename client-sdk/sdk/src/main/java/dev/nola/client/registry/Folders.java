package dev.nola.client.registry;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;

/**
 * Where a user's files lie (XDG Base Directory Specification), and that they are the user's own.
 */
public final class Folders {
  private static final boolean POSIX =
      FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

  private Folders() {}

  /** What can be had again: {@code $NOLA_CACHE}, or in {@code ${XDG_CACHE_HOME:-~/.cache}/nola}. */
  public static Path cache(Map<String, String> environment) {
    return folder(environment, "NOLA_CACHE", "XDG_CACHE_HOME", ".cache");
  }

  /** What the user has: {@code $NOLA_CONFIG}, or in {@code ${XDG_CONFIG_HOME:-~/.config}/nola}. */
  public static Path config(Map<String, String> environment) {
    return folder(environment, "NOLA_CONFIG", "XDG_CONFIG_HOME", ".config");
  }

  private static Path folder(
      Map<String, String> environment, String own, String xdg, String fallback) {
    String chosen = environment.getOrDefault(own, "");
    if (!chosen.isEmpty()) {
      return Path.of(chosen).toAbsolutePath();
    }
    Path base = Path.of(environment.getOrDefault(xdg, ""));
    // The specification has relative paths ignored.
    return (base.isAbsolute() ? base : home(environment).resolve(fallback)).resolve("nola");
  }

  /** As the shell has it; Java's own is that of the password file, whatever the user has set. */
  private static Path home(Map<String, String> environment) {
    Path home = Path.of(environment.getOrDefault("HOME", ""));
    return home.isAbsolute() ? home : Path.of(System.getProperty("user.home"));
  }

  /** Creates a folder that only its owner may enter, unless it exists. */
  public static void createPrivate(Path folder) throws IOException {
    if (Files.isDirectory(folder)) {
      return;
    }
    Path parent = folder.toAbsolutePath().getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    try {
      Files.createDirectory(folder, ownerOnly("rwx------"));
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(folder)) { // else another process was quicker
        throw e;
      }
    }
  }

  /**
   * Permissions that a new file or folder has from the start; none where there is no such thing.
   */
  public static FileAttribute<?>[] ownerOnly(String permissions) {
    return POSIX
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }

  /** Whether anyone but its owner may read or write a file. */
  public static boolean isOpenToOthers(Path file) throws IOException {
    return POSIX
        && PosixFilePermissions.toString(Files.getPosixFilePermissions(file))
            .substring(3)
            .matches(".*[rw].*");
  }
}

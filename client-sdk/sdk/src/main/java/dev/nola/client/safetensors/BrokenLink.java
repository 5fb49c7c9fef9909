package dev.nola.client.safetensors;

import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A link to a missing file. The Hub's cache is made of links to files that can be deleted, or were
 * not downloaded yet.
 */
final class BrokenLink {
  /** The problem and the remedy, for a message after the name of the link. */
  static final String PREDICATE =
      "is a link to a file that does not exist; download the model again";

  private BrokenLink() {}

  static boolean matches(Path file) {
    return Files.isSymbolicLink(file) && Files.notExists(file);
  }

  /**
   * Refuses a broken link.
   *
   * @param file a path that may be one
   * @throws NoSuchFileException if it is one
   */
  static void refuse(Path file) throws NoSuchFileException {
    if (matches(file)) {
      throw new NoSuchFileException(file.toString(), null, PREDICATE);
    }
  }
}

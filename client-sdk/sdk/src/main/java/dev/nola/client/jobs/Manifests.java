package dev.nola.client.jobs;

import dev.nola.api.job.ObjectManifest;
import dev.nola.api.name.NameRule;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Manifests of folders. */
public final class Manifests {
  private Manifests() {}

  /** Says what a file's SHA-256 is, perhaps from memory. */
  @FunctionalInterface
  public interface Hashing {
    /**
     * Returns the digest of a regular file.
     *
     * @param file the file
     * @return SHA-256 of its bytes
     */
    Sha256 of(Path file) throws IOException;
  }

  /**
   * The manifest of all files in a folder and the folders in it, without those whose names begin
   * with a dot.
   *
   * @param folder the folder
   * @param description a description, or null
   * @throws IOException if a file cannot be read, there is none, or a name has other characters
   *     than letters, digits, dots, underscores and hyphens
   */
  public static ObjectManifest of(Path folder, @Nullable String description) throws IOException {
    return of(folder, description, Sha256::hash);
  }

  /** The same with digests from somewhere else. */
  public static ObjectManifest of(Path folder, @Nullable String description, Hashing hashing)
      throws IOException {
    List<ObjectManifest.Entry> entries = new ArrayList<>();
    Path root = folder.toRealPath(); // which may be a link itself
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path inner, BasicFileAttributes attributes) {
            return !inner.equals(root) && isHidden(inner)
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            // Through links too: download tools keep models as links into a store.
            if (!isHidden(file) && Files.isRegularFile(file)) {
              entries.add(
                  new ObjectManifest.Entry(path(root, file), Files.size(file), hashing.of(file)));
            }
            return FileVisitResult.CONTINUE;
          }
        });
    if (entries.isEmpty()) {
      throw new IOException(folder + " has no files");
    }
    return new ObjectManifest(description, new ObjectManifest(description, entries).sorted());
  }

  /**
   * Returns the manifest of one file, which it lists by its name.
   *
   * @param file the file
   * @param description a description, or null
   * @return a manifest with one entry
   * @throws IOException if it cannot be read, or its name has other characters than letters,
   *     digits, dots, underscores and hyphens
   */
  public static ObjectManifest ofFile(Path file, @Nullable String description) throws IOException {
    Path absolute = file.toAbsolutePath();
    String name = path(absolute.getParent(), absolute);
    return new ObjectManifest(
        description, List.of(new ObjectManifest.Entry(name, Files.size(file), Sha256.hash(file))));
  }

  private static boolean isHidden(Path file) {
    return file.getFileName().toString().startsWith(".");
  }

  private static String path(Path root, Path file) throws IOException {
    List<String> names = new ArrayList<>();
    for (Path name : root.relativize(file)) {
      if (!NameRule.FILE_NAME.isMet(name.toString())) {
        throw new IOException(
            "invalid file name: %s; names in a manifest consist of letters, digits, dots, underscores and hyphens"
                .formatted(file));
      }
      names.add(name.toString());
    }
    return String.join("/", names);
  }
}

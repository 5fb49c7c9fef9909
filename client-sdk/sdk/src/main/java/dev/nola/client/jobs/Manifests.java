package dev.nola.client.jobs;

import dev.nola.api.job.ObjectManifest;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Manifests of folders, and the digests that identify them. */
public final class Manifests {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*");
  private static final int BUFFER = 1 << 16;

  private Manifests() {}

  /** Says what a file's SHA-256 is, perhaps from memory. */
  @FunctionalInterface
  public interface Hashing {
    /** The digest of a regular file. */
    Sha256 of(Path file) throws IOException;
  }

  /**
   * The manifest of all files in a folder and the folders in it, without those whose names begin
   * with a dot.
   *
   * @throws IOException if a file cannot be read, there is none, or a name has other characters
   *     than letters, digits, dots, underscores and hyphens
   */
  public static ObjectManifest of(Path folder, @Nullable String description) throws IOException {
    return of(folder, description, Manifests::hash);
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
                  new ObjectManifest.Entry(
                      path(root, file), Files.size(file), hashing.of(file).toString()));
            }
            return FileVisitResult.CONTINUE;
          }
        });
    if (entries.isEmpty()) {
      throw new IOException(folder + " has no files");
    }
    return new ObjectManifest(description, sorted(entries));
  }

  private static boolean isHidden(Path file) {
    return file.getFileName().toString().startsWith(".");
  }

  private static String path(Path root, Path file) throws IOException {
    List<String> names = new ArrayList<>();
    for (Path name : root.relativize(file)) {
      if (!NAME.matcher(name.toString()).matches()) {
        throw new IOException(
            "%s: a name in a manifest has letters, digits, dots, underscores and hyphens only"
                .formatted(file));
      }
      names.add(name.toString());
    }
    return String.join("/", names);
  }

  /** The digest of a file's bytes. */
  public static Sha256 hash(Path file) throws IOException {
    MessageDigest digest = Sha256.newMessageDigest();
    byte[] buffer = new byte[BUFFER];
    try (InputStream in = Files.newInputStream(file)) {
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        digest.update(buffer, 0, count);
      }
    }
    return Sha256.finish(digest);
  }

  /** The digest that identifies a revision (see {@link ObjectManifest}). */
  public static Sha256 revision(List<ObjectManifest.Entry> entries) {
    MessageDigest digest = Sha256.newMessageDigest();
    digest.update("nola-object".getBytes(StandardCharsets.US_ASCII));
    for (ObjectManifest.Entry entry : sorted(entries)) {
      byte[] path = entry.path().getBytes(StandardCharsets.UTF_8);
      ByteBuffer number = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      digest.update(number.putInt(path.length).flip());
      digest.update(path);
      digest.update(number.clear().putLong(entry.size()).flip());
      digest.update(Sha256.parse(entry.digest()).toBytes());
    }
    return Sha256.finish(digest);
  }

  private static List<ObjectManifest.Entry> sorted(List<ObjectManifest.Entry> entries) {
    return entries.stream()
        .sorted(
            Comparator.comparing(
                entry -> entry.path().getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned))
        .toList();
  }
}

package dev.nola.client.cache;

import dev.nola.api.name.Reference;
import dev.nola.digest.Sha256;
import dev.nola.files.UserDirectories;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The places of a cache's files; the package's documentation lists them.
 *
 * @param root the cache's folder
 */
record CacheLayout(Path root) {
  private static final Pattern FILE = Pattern.compile("([0-9a-f]{64})\\.(?:nola|part)");
  private static final int LOCK_DIGITS = 3;

  Path blobs() {
    return root.resolve("blobs");
  }

  Path partials() {
    return root.resolve("partial");
  }

  Path references() {
    return root.resolve("references");
  }

  Path begun() {
    return root.resolve("begun");
  }

  Path blob(Sha256 digest) {
    return blobs().resolve(digest.hex() + ".nola");
  }

  Path partial(Sha256 digest) {
    return partials().resolve(digest.hex() + ".part");
  }

  /** Returns the name of the note about a reference. */
  static String noteName(URI registry, Reference reference) {
    String text = registry + " " + reference;
    return Sha256.hash(text.getBytes(StandardCharsets.UTF_8)).hex() + ".json";
  }

  /** Returns the digest that a blob's or a partial file's name states. */
  static Optional<Sha256> digest(Path file) {
    Matcher name = FILE.matcher(String.valueOf(file.getFileName()));
    return name.matches() ? Optional.of(Sha256.parse("sha256:" + name.group(1))) : Optional.empty();
  }

  /** Returns a digest's lock file, and creates its folder. */
  Path lock(Sha256 digest) throws IOException {
    return create("locks").resolve(digest.hex().substring(0, LOCK_DIGITS));
  }

  /** Creates a folder, and the cache if it is new. */
  Path create(String folder) throws IOException {
    UserDirectories.createPrivate(root);
    return Files.createDirectories(root.resolve(folder));
  }

  /** Lists a folder's files; a folder that does not exist has none. */
  static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    } catch (NoSuchFileException _) {
      return List.of();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}

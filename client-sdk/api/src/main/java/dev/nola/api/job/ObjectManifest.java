package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.digest.Sha256;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The files of a model or a dataset. The digest of a manifest identifies a revision: SHA-256 over
 * {@code "nola-object"}, then for each file in the order of the paths' UTF-8 bytes: u32 length of
 * the path, the path in UTF-8, u64 size, the 32 bytes of its SHA-256; integers little-endian.
 *
 * @param description text for people, or null
 * @param files the files: at least one, no path twice
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ObjectManifest(@Nullable String description, List<Entry> files) {
  private static final byte[] TAG = utf8("nola-object");
  private static final Comparator<Entry> BY_PATH =
      Comparator.comparing(file -> utf8(file.path()), Arrays::compareUnsigned);

  /** Copies the list. */
  public ObjectManifest {
    files = List.copyOf(Objects.requireNonNull(files, "files is missing"));
  }

  /**
   * Returns the files in the order that the digest takes them in.
   *
   * @return the files, by the UTF-8 bytes of their paths
   */
  public List<Entry> sorted() {
    return files.stream().sorted(BY_PATH).toList();
  }

  /**
   * Computes the digest that identifies the revision; the description is not part of it.
   *
   * @return the digest
   */
  public Sha256 digest() {
    MessageDigest computation = Sha256.newMessageDigest();
    computation.update(TAG);
    for (Entry file : sorted()) {
      byte[] path = utf8(file.path());
      computation.update(
          ByteBuffer.allocate(Integer.BYTES + path.length + Long.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putInt(path.length)
              .put(path)
              .putLong(file.size())
              .array());
      computation.update(file.digest().toBytes());
    }
    return Sha256.finish(computation);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /**
   * A file.
   *
   * @param path relative, of names of letters, digits, dots, underscores and hyphens between
   *     slashes; no name begins with a dot
   * @param size size in bytes
   * @param digest digest of its bytes
   */
  public record Entry(String path, long size, Sha256 digest) {
    /**
     * Checks that all of it is there.
     *
     * @throws NullPointerException if path or digest is missing
     */
    public Entry {
      Objects.requireNonNull(path, "path is missing");
      Objects.requireNonNull(digest, "digest is missing");
    }
  }
}

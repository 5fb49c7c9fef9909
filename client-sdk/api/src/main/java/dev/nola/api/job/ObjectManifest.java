package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The files of a model or a dataset. The digest of a manifest identifies a revision: SHA-256 over
 * {@code "nola-object"}, then for each file in the order of the paths' UTF-8 bytes: u32 length of
 * the path, the path in UTF-8, u64 size, the 32 bytes of its SHA-256; integers little-endian.
 *
 * @param files at least one, no path twice
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ObjectManifest(@Nullable String description, List<Entry> files) {
  /** Copies the list. */
  public ObjectManifest {
    files = List.copyOf(Objects.requireNonNull(files, "files is missing"));
  }

  /**
   * A file.
   *
   * @param path relative, of names of letters, digits, dots, underscores and hyphens between
   *     slashes; no name begins with a dot
   * @param size in bytes
   * @param digest {@code sha256:…}
   */
  public record Entry(String path, long size, String digest) {
    /** Insists on all of it. */
    public Entry {
      Objects.requireNonNull(path, "path is missing");
      Objects.requireNonNull(digest, "digest is missing");
    }
  }
}

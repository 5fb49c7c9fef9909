package dev.nola.api.job;

import dev.nola.digest.Sha256;
import java.time.Instant;
import java.util.List;

/**
 * A revision of a model or a dataset. It has eight components because JSON has them side by side.
 *
 * @param namespace namespace of the object
 * @param name name within the namespace
 * @param revision digest of its manifest
 * @param description text for people
 * @param files its files, in the order of their paths
 * @param stored whether the registry has all its files; if not, only workers that hold them can use
 *     it
 * @param createdBy account that registered it
 * @param createdAt time of registration
 */
public record ObjectDetails(
    String namespace,
    String name,
    Sha256 revision,
    String description,
    List<ObjectManifest.Entry> files,
    boolean stored,
    String createdBy,
    Instant createdAt) {
  /** Copies the list. */
  public ObjectDetails {
    files = List.copyOf(files);
  }

  /**
   * Returns the size of all files together.
   *
   * @return the size in bytes; {@link Long#MAX_VALUE} if it is larger
   */
  public long totalSize() {
    long total = 0;
    for (ObjectManifest.Entry file : files) {
      total += Math.min(Math.max(0, file.size()), Long.MAX_VALUE - total);
    }
    return total;
  }
}

package dev.nola.api.job;

import dev.nola.digest.Sha256;
import java.time.Instant;
import java.util.List;

/**
 * A revision of a model or a dataset.
 *
 * @param revision digest of its manifest
 * @param stored whether the registry has all its files; if not, only workers that hold them can use
 *     it
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
}

package dev.nola.client.oci;

import dev.nola.api.name.Reference;
import dev.nola.format.AdapterFile;
import java.nio.file.Path;

/**
 * The names that a pushed adapter states.
 *
 * @param name such as {@code acme/mood}; empty if it was not published
 * @param version the number of its version; empty if it was not published
 * @param fileName the name under which clients of OCI registries save it
 */
public record OciOrigin(String name, String version, String fileName) {
  /**
   * Describes a version of an adapter.
   *
   * @param pinned the version by its number
   * @return the origin
   */
  public static OciOrigin of(Reference pinned) {
    return new OciOrigin(
        pinned.adapter().toString(),
        pinned.version(),
        pinned.adapter().name() + AdapterFile.EXTENSION);
  }

  /**
   * Describes an artifact that is copied to another repository.
   *
   * @param artifact the artifact
   * @return the origin
   */
  public static OciOrigin of(OciReference artifact) {
    String repository = artifact.repository();
    return new OciOrigin(
        "", "", repository.substring(repository.lastIndexOf('/') + 1) + AdapterFile.EXTENSION);
  }

  /**
   * Describes a file that was not published.
   *
   * @param file the file
   * @return the origin
   */
  public static OciOrigin of(Path file) {
    String name = String.valueOf(file.getFileName());
    return new OciOrigin(
        "", "", name.endsWith(AdapterFile.EXTENSION) ? name : name + AdapterFile.EXTENSION);
  }
}

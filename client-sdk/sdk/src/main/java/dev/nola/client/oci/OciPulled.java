package dev.nola.client.oci;

import dev.nola.digest.Sha256;
import dev.nola.files.StagedOutput;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A file that was pulled from a container registry.
 *
 * @param pinned the artifact by the digest of its manifest
 * @param digest SHA-256 of the file, already checked
 * @param path in the cache; for reading only, and not for long: the file may be evicted once it has
 *     not been used for some minutes
 * @param fromCache whether it was complete in the cache
 */
public record OciPulled(OciReference pinned, Sha256 digest, Path path, boolean fromCache) {
  /**
   * Reads the file. What was read stays valid if the file is evicted afterwards.
   *
   * @return the adapter
   * @throws dev.nola.format.AdapterException if it is not a valid adapter; the subtype says why
   * @throws IOException if it cannot be read
   */
  public AdapterFile open() throws IOException {
    return AdapterFile.read(path);
  }

  /**
   * Copies the file; the destination appears once it is complete.
   *
   * @param destination must not exist yet
   * @throws IOException if it exists or cannot be written
   */
  public void copyTo(Path destination) throws IOException {
    StagedOutput.copy(path, destination);
  }
}

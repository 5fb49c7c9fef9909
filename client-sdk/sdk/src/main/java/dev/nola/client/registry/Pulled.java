package dev.nola.client.registry;

import dev.nola.api.name.Reference;
import dev.nola.digest.Sha256;
import dev.nola.files.StagedOutput;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A file that was pulled.
 *
 * @param reference what was asked for
 * @param version the number of the version that it meant
 * @param digest of the file, which has been compared with its bytes
 * @param path in the cache; for reading only, and not for long: the file may be evicted once it has
 *     not been used for some minutes
 * @param yanked why the version should no longer be used, or null; as the registry said when it
 *     could last be reached
 * @param disputed whether a worker attests other bits than the file's, which nothing has confirmed
 *     or refuted; as the registry said when it could last be reached
 * @param fromCache whether no byte of it had to be downloaded
 */
public record Pulled(
    Reference reference,
    String version,
    Sha256 digest,
    Path path,
    @Nullable String yanked,
    boolean disputed,
    boolean fromCache) {
  /**
   * Returns the same version by number, which can never mean another file.
   *
   * @return the pinned reference
   */
  public Reference pinned() {
    return new Reference(reference.adapter(), version);
  }

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
   * Copies the file, beside the destination, which appears when it is complete.
   *
   * @param destination must not exist yet
   * @throws IOException if it exists or cannot be written
   */
  public void copyTo(Path destination) throws IOException {
    StagedOutput.copy(path, destination);
  }
}

package dev.nola.client.cache;

import dev.nola.api.name.Reference;
import dev.nola.digest.Sha256;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * The version that a reference resolved to when the registry was asked last.
 *
 * @param registry the registry's URL
 * @param reference the reference
 * @param version the version's number
 * @param digest the digest of the version's file
 * @param yanked why the version should no longer be used, or null
 * @param disputed whether a worker attests other bits than the file's, unconfirmed
 */
public record KnownReference(
    URI registry,
    Reference reference,
    String version,
    Sha256 digest,
    @Nullable String yanked,
    boolean disputed) {
  /**
   * Returns the same version under another reference.
   *
   * @param other the reference
   * @return what that reference means
   */
  public KnownReference as(Reference other) {
    return new KnownReference(registry, other, version, digest, yanked, disputed);
  }
}

package dev.nola.registry.catalog;

import dev.nola.digest.Sha256;
import dev.nola.registry.blobs.BlobUser;
import org.springframework.stereotype.Component;

/** The blobs of versions. */
@Component
class VersionBlobs implements BlobUser {
  private final VersionRepository versions;

  VersionBlobs(VersionRepository versions) {
    this.versions = versions;
  }

  @Override
  public boolean refersTo(Sha256 digest) {
    return versions.refersTo(digest.toString());
  }

  @Override
  public long sizeOfNamespace(long namespaceId) {
    return versions.sizeOfNamespace(namespaceId);
  }
}

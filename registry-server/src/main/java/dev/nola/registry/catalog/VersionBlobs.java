package dev.nola.registry.catalog;

import dev.nola.digest.Sha256;
import dev.nola.registry.blobs.BlobUser;
import dev.nola.registry.catalog.VersionRepository.NamespaceSize;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
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
  public List<Sha256> references(String last, int limit) {
    return versions.digests(last, limit).stream().map(Sha256::parse).toList();
  }

  @Override
  public long sizeOfNamespace(long namespaceId) {
    return versions.sizeOfNamespace(namespaceId);
  }

  @Override
  public Map<Long, Long> sizesOfNamespaces() {
    return versions.sizesOfNamespaces().stream()
        .collect(Collectors.toMap(NamespaceSize::namespaceId, NamespaceSize::bytes));
  }
}

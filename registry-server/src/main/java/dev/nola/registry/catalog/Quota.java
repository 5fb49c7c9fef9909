package dev.nola.registry.catalog;

import dev.nola.registry.access.Access;
import dev.nola.registry.blobs.BlobUser;
import java.util.List;
import org.springframework.stereotype.Component;

/** How many bytes namespaces may keep, whatever they are. */
@Component
public class Quota {
  private final CatalogSettings settings;
  private final Access access;
  private final List<BlobUser> users;

  Quota(CatalogSettings settings, Access access, List<BlobUser> users) {
    this.settings = settings;
    this.access = access;
    this.users = users;
  }

  /** Bytes that the namespace may still take; negative if it has more than it may. */
  public long roomOf(String namespace) {
    long used =
        access
            .idOf(namespace)
            .map(id -> users.stream().mapToLong(user -> user.sizeOfNamespace(id)).sum())
            .orElse(0L);
    return settings.namespaceQuota().toBytes() - used;
  }
}

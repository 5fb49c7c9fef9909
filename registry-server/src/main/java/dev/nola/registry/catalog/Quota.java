package dev.nola.registry.catalog;

import dev.nola.registry.access.Access;
import dev.nola.registry.blobs.BlobUser;
import java.util.List;
import org.springframework.stereotype.Component;

/** Limits the bytes that a namespace may store. */
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

  /**
   * Returns the bytes that a namespace may still store.
   *
   * @param namespace its name
   * @return the remaining quota in bytes; negative if it is exceeded
   */
  public long roomOf(String namespace) {
    long used =
        access
            .idOf(namespace)
            .map(id -> users.stream().mapToLong(user -> user.sizeOfNamespace(id)).sum())
            .orElse(0L);
    return settings.namespaceQuota().toBytes() - used;
  }
}

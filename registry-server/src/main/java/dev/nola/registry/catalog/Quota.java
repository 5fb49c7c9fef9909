package dev.nola.registry.catalog;

import dev.nola.registry.access.Access;
import dev.nola.registry.blobs.BlobUser;
import dev.nola.registry.web.Refusal;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Limits the bytes that a namespace may store. */
@Component
public class Quota {
  /** Field that a refusal names. */
  public static final String REFUSED = "quota";

  /** Key space of the advisory locks on namespaces. */
  private static final int KEY_SPACE = 2;

  private final CatalogSettings settings;
  private final Access access;
  private final List<BlobUser> users;
  private final JdbcClient database;

  Quota(CatalogSettings settings, Access access, List<BlobUser> users, JdbcClient database) {
    this.database = database;
    this.settings = settings;
    this.access = access;
    this.users = users;
  }

  /**
   * What a namespace stores of what it may.
   *
   * @param used bytes that it stores
   * @param limit bytes that it may store
   */
  public record Usage(long used, long limit) {}

  /**
   * Returns what a namespace stores.
   *
   * @param namespace its name
   * @return its bytes, and the limit
   */
  public Usage usageOf(String namespace) {
    long used =
        access
            .idOf(namespace)
            .map(id -> users.stream().map(user -> user.sizeOfNamespace(id)).reduce(0L, Quota::sum))
            .orElse(0L);
    return new Usage(used, limit());
  }

  /**
   * A namespace that stores bytes.
   *
   * @param namespace its name
   * @param used bytes that it stores
   */
  public record NamespaceUsage(String namespace, long used) {}

  /**
   * Returns what all namespaces store that store anything.
   *
   * @return namespaces, the largest first
   */
  public List<NamespaceUsage> usages() {
    Map<Long, Long> sizes = new HashMap<>();
    users.forEach(
        user -> user.sizesOfNamespaces().forEach((id, size) -> sizes.merge(id, size, Quota::sum)));
    return database
        .sql("select id, name from namespace where id = any(?)")
        .param(sizes.keySet().toArray(Long[]::new))
        .query((row, _) -> new NamespaceUsage(row.getString("name"), sizes.get(row.getLong("id"))))
        .list()
        .stream()
        .sorted(
            Comparator.comparingLong(NamespaceUsage::used)
                .reversed()
                .thenComparing(NamespaceUsage::namespace))
        .toList();
  }

  /**
   * Returns the limit of each namespace.
   *
   * @return bytes
   */
  public long limit() {
    return settings.namespaceQuota().toBytes();
  }

  /**
   * Returns the bytes that a namespace may still store.
   *
   * @param namespace its name
   * @return the remaining quota in bytes; negative if it is exceeded
   */
  public long roomOf(String namespace) {
    Usage usage = usageOf(namespace);
    return usage.limit() - usage.used();
  }

  /**
   * Adds sizes.
   *
   * @param a bytes
   * @param b bytes
   * @return their sum; the largest number if it exceeds that
   */
  public static long sum(long a, long b) {
    return a > Long.MAX_VALUE - b ? Long.MAX_VALUE : a + b;
  }

  /**
   * Requires that a namespace has no more than its quota, with what this transaction has recorded.
   * To be called after it was recorded, as the last of the transaction's locks: of two that fill
   * the quota at once, the second sees what the first has recorded.
   *
   * @param namespace its name
   * @param size of what was recorded, in bytes
   * @throws Refusal with status 422 if the quota is exceeded
   */
  @Transactional(propagation = Propagation.MANDATORY)
  public void require(String namespace, long size) {
    database
        .sql("select count(pg_advisory_xact_lock(?, hashtext(?)))")
        .params(KEY_SPACE, namespace)
        .query(Long.class)
        .single();
    long room = roomOf(namespace);
    if (room < 0) {
      throw Refusal.invalid(REFUSED, exceeded(namespace, size, room + size));
    }
  }

  /**
   * Requires that a namespace may store a file, before any of it is recorded.
   *
   * @param namespace its name
   * @param size of the file in bytes
   * @throws Refusal with status 422 if it does not fit
   */
  public void requireRoom(String namespace, long size) {
    long room = roomOf(namespace);
    if (size > room) {
      throw Refusal.invalid(REFUSED, exceeded(namespace, size, room));
    }
  }

  /** Says that a file does not fit. */
  static String exceeded(String namespace, long size, long room) {
    return "file too large: %d bytes; the quota of namespace %s leaves %d"
        .formatted(size, namespace, Math.max(0, room));
  }
}

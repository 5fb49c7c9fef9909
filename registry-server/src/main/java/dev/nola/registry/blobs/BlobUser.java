package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Keeps references to blobs; those blobs must stay. */
public interface BlobUser {
  /**
   * Returns whether a reference to a blob is recorded, as of all transactions committed before.
   *
   * @param digest of the blob
   * @return whether the blob must stay
   */
  boolean refersTo(Sha256 digest);

  /**
   * Returns the bytes that a namespace has here, as they count against its quota.
   *
   * @param namespaceId of the namespace
   * @return sum of sizes in bytes
   */
  long sizeOfNamespace(long namespaceId);

  /**
   * Returns the bytes of all namespaces that have some here, as {@link #sizeOfNamespace} counts
   * them.
   *
   * @return sums of sizes in bytes, by id of the namespace
   */
  Map<Long, Long> sizesOfNamespaces();

  /**
   * Lists the digests of blobs that are referred to, in the order of their texts.
   *
   * @param last digest that theirs must exceed, {@code sha256:…}; empty for the first page
   * @param limit maximum number of digests
   * @return the digests, each once
   */
  List<Sha256> references(String last, int limit);

  /**
   * Drops references to blobs that were uploaded before a time and never used.
   *
   * @param cutoff that time
   */
  default void forgetUnused(Instant cutoff) {}
}

package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.time.Instant;
import java.util.List;

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

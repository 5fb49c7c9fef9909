package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.time.Instant;

/** Someone who keeps references to blobs: those blobs stay. */
public interface BlobUser {
  /** Whether a reference to the blob is recorded, as of all transactions committed before. */
  boolean refersTo(Sha256 digest);

  /** Bytes that a namespace has here, as they count against its quota. */
  long sizeOfNamespace(long namespaceId);

  /** Drops references to what came before a time and was never put to use. */
  default void forgetUnused(Instant before) {}
}

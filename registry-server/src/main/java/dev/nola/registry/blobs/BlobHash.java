package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hashes the bytes of stored blobs. */
final class BlobHash {
  private static final Logger LOG = LoggerFactory.getLogger(BlobHash.class);
  private static final int BUFFER_BYTES = 64 * 1024;

  /** Tells bytes that changed on the way from those that changed in the store. */
  private static final int MAX_READS = 3;

  private BlobHash() {}

  /**
   * Returns the digest of a blob's bytes.
   *
   * @param blob to read
   * @return the digest, or empty if no read had the checksum that the store keeps: the blob is
   *     damaged
   * @throws IOException if the blob cannot be read, which may be temporary
   */
  static Optional<Sha256> of(BlobStore.Blob blob) throws IOException {
    for (int i = 0; i < MAX_READS; i++) {
      try {
        return Optional.of(read(blob));
      } catch (ChecksumMismatch e) {
        LOG.warn("wrong checksum at read {} of {}: {}", i + 1, MAX_READS, e.getMessage());
      }
    }
    return Optional.empty();
  }

  private static Sha256 read(BlobStore.Blob blob) throws IOException {
    MessageDigest hash = Sha256.newMessageDigest();
    byte[] buffer = new byte[BUFFER_BYTES];
    try (InputStream bytes = blob.open(0, blob.size())) {
      for (int count = bytes.read(buffer); count >= 0; count = bytes.read(buffer)) {
        hash.update(buffer, 0, count);
      }
    }
    return Sha256.finish(hash);
  }
}

package dev.nola.registry.blobs;

import dev.nola.registry.web.StorageUnavailable;

/**
 * All bytes of an object arrived, and do not have the checksum that the store keeps of them. They
 * may have changed on the way, or in the store.
 */
final class ChecksumMismatch extends StorageUnavailable {
  /**
   * Creates the failure of a read.
   *
   * @param cause as the SDK reports it, with both checksums
   */
  ChecksumMismatch(Exception cause) {
    super("cannot read from S3: " + cause.getMessage(), cause);
  }
}

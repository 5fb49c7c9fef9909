package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;

/**
 * A blob that was committed to the store.
 *
 * @param digest of its bytes
 * @param size in bytes
 */
public record StoredBlob(Sha256 digest, long size) {}

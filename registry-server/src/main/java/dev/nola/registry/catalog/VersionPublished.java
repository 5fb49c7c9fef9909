package dev.nola.registry.catalog;

/**
 * That a version is new; sent within the transaction that records it.
 *
 * @param digest {@code sha256:…} of its file
 * @param selfVerified whether the registry reconstructed it
 */
public record VersionPublished(
    AdapterName adapter, String version, String digest, boolean selfVerified) {}

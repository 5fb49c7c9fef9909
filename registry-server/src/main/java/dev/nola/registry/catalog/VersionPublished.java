package dev.nola.registry.catalog;

/**
 * Event: a version was published. Sent within the transaction that records it.
 *
 * @param adapter of the version
 * @param version its number
 * @param digest {@code sha256:…} of its file
 * @param selfVerified whether the registry reconstructed it
 */
public record VersionPublished(
    AdapterName adapter, String version, String digest, boolean selfVerified) {}

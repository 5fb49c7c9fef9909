package dev.nola.registry.catalog;

/**
 * Event: a version was deleted. Sent within the transaction that deletes it.
 *
 * @param adapter of the version
 * @param version its number
 * @param digest {@code sha256:…} of its file
 */
public record VersionDeleted(AdapterName adapter, String version, String digest) {}

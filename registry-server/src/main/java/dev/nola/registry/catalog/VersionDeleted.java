package dev.nola.registry.catalog;

/**
 * Event: a version was deleted. Sent within the transaction that deletes it.
 *
 * @param adapter of the version
 * @param version its number
 */
public record VersionDeleted(AdapterName adapter, String version) {}

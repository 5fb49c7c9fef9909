package dev.nola.registry.catalog;

/** That a version is no more; sent within the transaction that deletes it. */
public record VersionDeleted(AdapterName adapter, String version) {}

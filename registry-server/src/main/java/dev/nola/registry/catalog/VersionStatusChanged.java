package dev.nola.registry.catalog;

import java.util.List;

/**
 * Event: the verification status of versions changed. Sent within the transaction that changes it.
 *
 * @param changes one for each version; at least one
 */
public record VersionStatusChanged(List<Versions.Change> changes) {}

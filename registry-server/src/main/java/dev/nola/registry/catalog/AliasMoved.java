package dev.nola.registry.catalog;

import org.jspecify.annotations.Nullable;

/**
 * Event: an alias names another version. Sent within the transaction that moves it.
 *
 * @param adapter of the alias
 * @param alias its name
 * @param from number of the version that it named, or null if it is new
 * @param to number of the version that it names now, or null if it was removed
 */
public record AliasMoved(
    AdapterName adapter, String alias, @Nullable String from, @Nullable String to) {}

package dev.nola.api;

import org.jspecify.annotations.Nullable;

/**
 * A change of an adapter; null leaves a value as it is.
 *
 * @param description text for people, or null
 * @param visibility who may see the adapter, or null
 */
public record AdapterChange(@Nullable String description, @Nullable Visibility visibility) {}

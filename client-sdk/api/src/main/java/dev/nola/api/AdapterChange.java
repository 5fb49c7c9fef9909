package dev.nola.api;

import org.jspecify.annotations.Nullable;

/** What to change of an adapter; null leaves it as it is. */
public record AdapterChange(@Nullable String description, @Nullable Visibility visibility) {}

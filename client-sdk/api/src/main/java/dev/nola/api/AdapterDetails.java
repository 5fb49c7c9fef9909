package dev.nola.api;

import java.time.Instant;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * An adapter.
 *
 * @param latest what {@code latest} means now, or null if no version qualifies
 * @param aliases versions by alias
 * @param downloads of all versions
 */
public record AdapterDetails(
    String namespace,
    String name,
    String description,
    Visibility visibility,
    @Nullable String latest,
    SortedMap<String, String> aliases,
    long downloads,
    Instant createdAt) {}

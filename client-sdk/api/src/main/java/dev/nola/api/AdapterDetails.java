package dev.nola.api;

import java.time.Instant;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * An adapter in full. It has eight components because JSON has them side by side.
 *
 * @param namespace namespace of the adapter
 * @param name name within the namespace
 * @param description text for people
 * @param visibility who may see the adapter
 * @param latest version that {@code latest} stands for, or null if no version qualifies
 * @param aliases version numbers by alias
 * @param downloads number of downloads of all versions
 * @param createdAt time of the first publication
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

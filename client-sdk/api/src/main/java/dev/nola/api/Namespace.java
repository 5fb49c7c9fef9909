package dev.nola.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A namespace: the first part of an adapter's name.
 *
 * @param name name of the namespace
 * @param role role of the caller, or null if it is not a member
 * @param createdAt time of its creation
 */
public record Namespace(String name, @Nullable Role role, Instant createdAt) {}

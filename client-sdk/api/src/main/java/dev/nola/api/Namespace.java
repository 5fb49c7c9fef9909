package dev.nola.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A namespace: the first part of an adapter's name.
 *
 * @param role the caller's, or null if it is not a member
 */
public record Namespace(String name, @Nullable Role role, Instant createdAt) {}

package dev.nola.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A step in an alias' history.
 *
 * @param version where it pointed from then on, or null if it was removed
 */
public record AliasChange(@Nullable String version, String by, Instant at) {}

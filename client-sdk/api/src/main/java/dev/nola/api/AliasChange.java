package dev.nola.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An entry of an alias's history.
 *
 * @param version number of the version that it pointed to from then on, or null if it was removed
 * @param by account that made the change
 * @param at time of the change
 */
public record AliasChange(@Nullable String version, String by, Instant at) {}

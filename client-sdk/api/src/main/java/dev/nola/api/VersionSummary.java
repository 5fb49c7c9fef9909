package dev.nola.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A version in a list.
 *
 * @param digest {@code sha256:} and 64 hex digits, of the file
 * @param size of the file in bytes
 * @param yanked why it should no longer be used, or null
 */
public record VersionSummary(
    String version,
    String digest,
    long size,
    Verification verification,
    @Nullable Yank yanked,
    long downloads,
    String publishedBy,
    Instant publishedAt) {}

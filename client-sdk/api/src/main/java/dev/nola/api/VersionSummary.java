package dev.nola.api;

import dev.nola.digest.Sha256;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A version in a list.
 *
 * @param digest of the file
 * @param size of the file in bytes
 * @param yanked why it should no longer be used, or null
 */
public record VersionSummary(
    String version,
    Sha256 digest,
    long size,
    Verification verification,
    @Nullable Yank yanked,
    long downloads,
    String publishedBy,
    Instant publishedAt) {}

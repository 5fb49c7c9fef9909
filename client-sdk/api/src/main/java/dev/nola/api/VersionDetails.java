package dev.nola.api;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A version.
 *
 * @param digest {@code sha256:} and 64 hex digits, of the file
 * @param size of the file in bytes
 * @param verifiedAt since when {@code verification} is what it is; null if it is unverified
 * @param yanked why it should no longer be used, or null
 * @param aliases that point to it
 */
public record VersionDetails(
    String namespace,
    String name,
    String version,
    String digest,
    long size,
    Comparison comparison,
    Verification verification,
    @Nullable Instant verifiedAt,
    Attestations attestations,
    @Nullable Yank yanked,
    List<String> aliases,
    long downloads,
    String publishedBy,
    Instant publishedAt,
    Contents contents) {}

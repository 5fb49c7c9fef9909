package dev.nola.api;

import dev.nola.digest.Sha256;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A version.
 *
 * @param digest of the file
 * @param size of the file in bytes
 * @param verifiedAt since when {@code verification} is what it is; null if it is unverified
 * @param yanked why it should no longer be used, or null
 * @param aliases that point to it
 */
public record VersionDetails(
    String namespace,
    String name,
    String version,
    Sha256 digest,
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

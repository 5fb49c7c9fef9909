package dev.nola.api;

import dev.nola.digest.Sha256;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A version in a list. It has nine components because JSON has them side by side.
 *
 * @param version number of the version
 * @param digest digest of the file
 * @param size size of the file in bytes
 * @param verification whether its bits were confirmed
 * @param disputed whether a worker with an approved key attests other bits, which nothing has
 *     confirmed or refuted yet; {@code verification} is then what the other evidence says
 * @param yanked why it should no longer be used, or null if it was not yanked
 * @param downloads number of downloads
 * @param publishedBy account that published it
 * @param publishedAt time of publication
 */
public record VersionSummary(
    String version,
    Sha256 digest,
    long size,
    Verification verification,
    boolean disputed,
    @Nullable Yank yanked,
    long downloads,
    String publishedBy,
    Instant publishedAt) {}

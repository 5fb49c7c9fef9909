package dev.nola.api;

import dev.nola.digest.Sha256;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A version in full. It has sixteen components because JSON has them side by side.
 *
 * @param namespace namespace of the adapter
 * @param name name of the adapter within the namespace
 * @param version number of the version
 * @param digest digest of the file
 * @param size size of the file in bytes
 * @param comparison how small the file is
 * @param verification whether its bits were confirmed
 * @param disputed whether a worker with an approved key attests other bits, which nothing has
 *     confirmed or refuted yet; {@code verification} is then what the other evidence says
 * @param verifiedAt time since which {@code verification} holds, or null if unverified
 * @param attestations count of the workers that attest its bits
 * @param yanked why it should no longer be used, or null if it was not yanked
 * @param aliases aliases that point to it
 * @param downloads number of downloads
 * @param publishedBy account that published it
 * @param publishedAt time of publication
 * @param contents contents of the file
 */
public record VersionDetails(
    String namespace,
    String name,
    String version,
    Sha256 digest,
    long size,
    Comparison comparison,
    Verification verification,
    boolean disputed,
    @Nullable Instant verifiedAt,
    Attestations attestations,
    @Nullable Yank yanked,
    List<String> aliases,
    long downloads,
    String publishedBy,
    Instant publishedAt,
    Contents contents) {}

package dev.nola.api;

import java.time.Instant;
import java.util.List;

/**
 * An adapter in search results, described by its latest version. It has nineteen components because
 * JSON has them side by side.
 *
 * @param namespace namespace of the adapter
 * @param name name within the namespace
 * @param description text for people
 * @param visibility who may see the adapter
 * @param latest number of the version that describes it
 * @param base name of the base model
 * @param generator such as {@code philox-srht}
 * @param rank largest rank of its layers; 0 if all are of the direct form
 * @param bits largest width of its codes, in bits
 * @param coefficients number of stored coefficients, α and β together
 * @param size size of the file in bytes
 * @param comparison how small the file is
 * @param task what the adapter is for, such as {@code sentiment}
 * @param license SPDX licence expression
 * @param tags words to find it by
 * @param verification whether its bits were confirmed
 * @param disputed whether a worker with an approved key attests other bits, which nothing has
 *     confirmed or refuted yet; {@code verification} is then what the other evidence says
 * @param downloads number of downloads of all versions
 * @param updatedAt time at which its latest version became the latest
 */
public record AdapterSummary(
    String namespace,
    String name,
    String description,
    Visibility visibility,
    String latest,
    String base,
    String generator,
    int rank,
    int bits,
    long coefficients,
    long size,
    Comparison comparison,
    String task,
    String license,
    List<String> tags,
    Verification verification,
    boolean disputed,
    long downloads,
    Instant updatedAt) {}

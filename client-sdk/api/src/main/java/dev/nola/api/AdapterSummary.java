package dev.nola.api;

import java.time.Instant;
import java.util.List;

/**
 * An adapter as search lists it, described by its latest version.
 *
 * @param latest the version that describes it
 * @param base name of the base model
 * @param generator such as {@code philox-srht}
 * @param rank the largest of its layers; 0 if all are of the direct form
 * @param bits the largest width of its codes
 * @param coefficients stored numbers, α and β together
 * @param size of the file in bytes
 * @param downloads of all versions
 * @param updatedAt when its latest version came to be the latest
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
    String task,
    String license,
    List<String> tags,
    Verification verification,
    long downloads,
    Instant updatedAt) {}

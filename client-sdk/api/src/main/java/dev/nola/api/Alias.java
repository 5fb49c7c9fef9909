package dev.nola.api;

/**
 * A movable name for a version.
 *
 * @param alias the name
 * @param version number of the version that it points to
 */
public record Alias(String alias, String version) {}

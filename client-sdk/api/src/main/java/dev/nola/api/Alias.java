package dev.nola.api;

/** A movable name for a version. */
public record Alias(String alias, String version) {}

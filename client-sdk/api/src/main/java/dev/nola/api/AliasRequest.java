package dev.nola.api;

/** The version, by exact number, that an alias should point to. */
public record AliasRequest(String version) {}

package dev.nola.api;

import java.time.Instant;

/** Why and when a version was withdrawn from new use. */
public record Yank(String reason, String by, Instant at) {}

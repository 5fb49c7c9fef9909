package dev.nola.api;

import java.time.Instant;

/**
 * A withdrawal of a version from new use.
 *
 * @param reason why, for anyone still using the version
 * @param by account that withdrew it
 * @param at time of the withdrawal
 */
public record Yank(String reason, String by, Instant at) {}

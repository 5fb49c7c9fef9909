package dev.nola.api.job;

/**
 * A change of a queued job.
 *
 * @param priority higher goes first
 */
public record JobChange(int priority) {}

package dev.nola.api.job;

/**
 * A change of a job that waits.
 *
 * @param priority higher goes first
 */
public record JobChange(int priority) {}

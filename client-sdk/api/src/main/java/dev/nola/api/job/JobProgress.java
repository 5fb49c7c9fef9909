package dev.nola.api.job;

import org.jspecify.annotations.Nullable;

/**
 * How far a worker has come with a job.
 *
 * @param done steps
 * @param total steps
 * @param loss of the last training step, or null
 */
public record JobProgress(long done, long total, @Nullable Double loss) {}

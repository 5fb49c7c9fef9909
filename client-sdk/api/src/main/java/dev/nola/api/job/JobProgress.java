package dev.nola.api.job;

import org.jspecify.annotations.Nullable;

/**
 * The progress of a job.
 *
 * @param done number of steps done
 * @param total number of steps in all
 * @param loss loss of the last training step, or null
 */
public record JobProgress(long done, long total, @Nullable Double loss) {}

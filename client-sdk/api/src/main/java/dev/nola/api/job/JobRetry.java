package dev.nola.api.job;

import org.jspecify.annotations.Nullable;

/**
 * How to try a job again that has failed or was cancelled.
 *
 * @param version to publish a training's result as, if the one that was asked for is taken; null
 *     for the same
 */
public record JobRetry(@Nullable String version) {}

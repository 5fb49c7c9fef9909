package dev.nola.api.job;

import org.jspecify.annotations.Nullable;

/**
 * A request to retry a job that failed or was cancelled.
 *
 * @param version number to publish a training's result as if the first choice is taken; null for
 *     the same
 */
public record JobRetry(@Nullable String version) {}

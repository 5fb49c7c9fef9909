package dev.nola.api.job;

import java.time.Instant;

/**
 * What a worker is told.
 *
 * @param cancel whether to stop, and report that as a {@link JobFailure}
 */
public record HeartbeatAnswer(boolean cancel, Instant expiresAt) {}

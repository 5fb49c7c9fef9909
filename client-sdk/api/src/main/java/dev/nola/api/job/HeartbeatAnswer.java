package dev.nola.api.job;

import java.time.Instant;

/**
 * An answer to a heartbeat.
 *
 * @param cancel whether the worker should stop, and report that as a {@link JobFailure}
 * @param expiresAt time at which the lease now ends
 */
public record HeartbeatAnswer(boolean cancel, Instant expiresAt) {}

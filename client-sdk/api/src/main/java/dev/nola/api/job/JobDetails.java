package dev.nola.api.job;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job.
 *
 * @param namespace of its adapter
 * @param request with references to models and datasets pinned to a digest
 * @param cancelRequested whether it is to end; a worker that has it is told with its next heartbeat
 * @param attempts leases that it was given
 * @param maxAttempts leases that it is given before it has failed for good
 * @param worker that has it, or had it last; null before the first
 * @param progress as last reported, or null
 * @param reason why it failed, was cancelled, or waits again; null otherwise
 * @param result null before there is one
 * @param notBefore when it may be taken, after a failure; else when it was made
 */
public record JobDetails(
    UUID id,
    JobType type,
    JobState state,
    int priority,
    String namespace,
    JobRequest request,
    boolean cancelRequested,
    int attempts,
    int maxAttempts,
    @Nullable String worker,
    @Nullable JobProgress progress,
    @Nullable String reason,
    @Nullable JobResult result,
    String createdBy,
    Instant createdAt,
    Instant notBefore,
    @Nullable Instant startedAt,
    @Nullable Instant finishedAt) {}

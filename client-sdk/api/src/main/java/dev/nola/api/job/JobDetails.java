package dev.nola.api.job;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job in full. It has nineteen components because JSON has them side by side.
 *
 * @param id id of the job
 * @param type type of the job
 * @param state how far it has come
 * @param priority higher goes first
 * @param namespace namespace of its adapter
 * @param request the request, with references to models and datasets pinned to a digest
 * @param cancelRequested whether it runs and is to end; the answer to its worker's next heartbeat
 *     says so
 * @param attempts number of leases that it was given
 * @param maxAttempts number of leases after which it has failed for good
 * @param worker worker that has it, or had it last; null before the first
 * @param progress progress last reported, or null
 * @param reason why it failed, was cancelled, or waits again; null otherwise
 * @param waiting why no worker has taken it yet, for a queued job: empty if one is about to; else
 *     null
 * @param result its result, or null before there is one
 * @param createdBy account that submitted it
 * @param createdAt time of the request
 * @param notBefore time from which it may be taken, after a failure; else time of the request
 * @param startedAt time of the first lease since it was submitted or retried, or null
 * @param finishedAt time of its end, or null
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
    @Nullable List<WaitingReason> waiting,
    @Nullable JobResult result,
    String createdBy,
    Instant createdAt,
    Instant notBefore,
    @Nullable Instant startedAt,
    @Nullable Instant finishedAt) {
  /** Copies the list. */
  public JobDetails {
    waiting = waiting == null ? null : List.copyOf(waiting);
  }

  /**
   * Returns the same job with reasons why it waits.
   *
   * @param reasons the reasons, or null
   * @return the job with them
   */
  public JobDetails withWaiting(@Nullable List<WaitingReason> reasons) {
    return new JobDetails(
        id,
        type,
        state,
        priority,
        namespace,
        request,
        cancelRequested,
        attempts,
        maxAttempts,
        worker,
        progress,
        reason,
        reasons,
        result,
        createdBy,
        createdAt,
        notBefore,
        startedAt,
        finishedAt);
  }
}

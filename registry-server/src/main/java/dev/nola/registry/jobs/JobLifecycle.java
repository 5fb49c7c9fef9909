package dev.nola.registry.jobs;

import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.registry.blobs.StoredBlob;
import dev.nola.registry.web.Refusal;
import dev.nola.text.Label;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/**
 * Moves jobs from state to state: queued, cancelled, queued again, ended. Every change of state is
 * recorded as an event of the job. {@link LeaseService} gives jobs to workers.
 */
@Component
@EnableConfigurationProperties({JobSettings.class, JobLimits.class})
class JobLifecycle {
  private static final int MAX_REASON = 4_000;

  private final JobRepository jobs;
  private final JobEvents events;
  private final JobMetrics metrics;
  private final ApplicationEventPublisher publisher;
  private final JobSettings settings;

  JobLifecycle(
      JobRepository jobs,
      JobEvents events,
      JobMetrics metrics,
      ApplicationEventPublisher publisher,
      JobSettings settings) {
    this.jobs = jobs;
    this.events = events;
    this.metrics = metrics;
    this.publisher = publisher;
    this.settings = settings;
  }

  /**
   * Queues new jobs.
   *
   * @param added may be empty
   */
  @Transactional
  void add(List<NewJob> added) {
    if (added.isEmpty()) {
      return;
    }
    jobs.insert(added, settings.maxAttempts());
    events.addStates(added.stream().map(NewJob::id).toList(), JobState.QUEUED, null);
    publisher.publishEvent(new JobsQueued());
  }

  /**
   * Ends a queued job, or asks the worker that runs it to stop.
   *
   * @param id of the job
   * @param reason recorded with the job
   * @throws Refusal with status 409 if the job has succeeded or failed
   */
  @Transactional
  void cancel(UUID id, String reason) {
    Job job = jobs.lock(id).orElseThrow();
    if (job.state() == JobState.CANCELLED || job.details().cancelRequested()) {
      return;
    }
    if (job.state().isEnd()) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "ended",
          "job cannot be cancelled: it is already " + Label.of(job.state()));
    }
    cancel(job, reason);
  }

  /**
   * Ends a queued job, or asks the worker that runs it to stop.
   *
   * @param job locked, and not ended
   * @param reason recorded with the job
   */
  @Transactional(propagation = Propagation.MANDATORY)
  void cancel(Job job, String reason) {
    if (job.state() == JobState.QUEUED) {
      end(job, JobState.CANCELLED, reason);
      return;
    }
    jobs.requestCancel(job.id(), reason);
    events.addState(job.id(), JobState.RUNNING, reason);
  }

  /**
   * Queues a failed or cancelled job again, with no attempt used.
   *
   * @param id of the job
   * @param request that replaces the job's request
   * @param version that the job makes from now on
   * @param reason recorded as an event
   * @throws Refusal with status 409 if the job has neither failed nor been cancelled
   */
  @Transactional
  void queueAgain(UUID id, JobRequest request, String version, String reason) {
    requireRetryable(jobs.lock(id).orElseThrow());
    jobs.requeue(id, request, version);
    events.addState(id, JobState.QUEUED, reason);
    publisher.publishEvent(new JobsQueued());
  }

  /**
   * Requires that a job has failed or was cancelled.
   *
   * @param job as it was read
   * @throws Refusal with status 409 otherwise
   */
  static void requireRetryable(Job job) {
    if (job.state() != JobState.FAILED && job.state() != JobState.CANCELLED) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "not-failed",
          "job cannot be retried: it is %s; only failed or cancelled jobs can be retried"
              .formatted(Label.of(job.state())));
    }
  }

  /**
   * Changes the priority of a queued job.
   *
   * @param id of the job
   * @param priority of the job; higher runs first
   * @throws Refusal with status 409 if the job is not queued
   */
  @Transactional
  void changePriority(UUID id, int priority) {
    Job job = jobs.lock(id).orElseThrow();
    if (job.state() != JobState.QUEUED) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "not-queued",
          "priority cannot be changed: the job is %s; only queued jobs can be changed"
              .formatted(Label.of(job.state())));
    }
    jobs.setPriority(id, priority);
  }

  /**
   * Ends a job with its result.
   *
   * @param job locked
   * @param result bytes that the job made
   * @param resultMetrics evaluation of the result by name; may be empty
   */
  @Transactional(propagation = Propagation.MANDATORY)
  void succeed(Job job, StoredBlob result, Map<String, Double> resultMetrics) {
    jobs.keepResult(job.id(), result, resultMetrics);
    end(job, JobState.SUCCEEDED, null);
  }

  /**
   * Fails a job whose result could not be published, and keeps the result for a retry.
   *
   * @param job locked
   * @param result bytes that the job made
   * @param reason why it could not be published
   */
  @Transactional(propagation = Propagation.MANDATORY)
  void failUnpublished(Job job, StoredBlob result, String reason) {
    jobs.keepResult(job.id(), result, Map.of());
    end(job, JobState.FAILED, cut(reason));
  }

  /**
   * Ends a job whose kept result is now published.
   *
   * @param job locked
   * @param request that replaces the job's request
   * @param version under which the result is published
   * @param resultMetrics evaluation of the result by name; may be empty
   */
  @Transactional(propagation = Propagation.MANDATORY)
  void succeedLater(
      Job job, JobRequest request, String version, Map<String, Double> resultMetrics) {
    jobs.setPublished(job.id(), request, version, resultMetrics);
    end(job, JobState.SUCCEEDED, null);
  }

  /**
   * Takes a job from its worker: queues it again if another attempt may help and one is left, else
   * ends it.
   *
   * @param job locked
   * @param reason recorded with the job
   * @param retryable whether another attempt may help
   * @param wait before the next attempt
   */
  @Transactional(propagation = Propagation.MANDATORY)
  void giveUp(Job job, String reason, boolean retryable, Duration wait) {
    String cut = cut(reason);
    if (job.details().cancelRequested()) {
      end(job, JobState.CANCELLED, job.details().reason());
    } else if (retryable && job.details().attempts() < job.details().maxAttempts()) {
      jobs.postpone(job.id(), cut, wait);
      events.addState(job.id(), JobState.QUEUED, cut);
      publisher.publishEvent(new JobsQueued());
    } else {
      end(job, JobState.FAILED, cut);
    }
  }

  private void end(Job job, JobState state, @Nullable String reason) {
    jobs.end(job.id(), state, reason);
    events.addState(job.id(), state, reason);
    metrics.ended(job.type(), state, 1);
  }

  private static String cut(String reason) {
    String storable = JobEvents.storable(reason);
    return storable.length() <= MAX_REASON ? storable : storable.substring(0, MAX_REASON) + " …";
  }
}

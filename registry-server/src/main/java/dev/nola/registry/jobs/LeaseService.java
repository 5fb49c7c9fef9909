package dev.nola.registry.jobs;

import dev.nola.api.job.Heartbeat;
import dev.nola.api.job.HeartbeatAnswer;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobFailure;
import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import dev.nola.api.job.LeaseRequest;
import dev.nola.registry.access.Caller;
import dev.nola.registry.blobs.StoredBlob;
import dev.nola.registry.web.Refusal;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.http.HttpStatus;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import tools.jackson.databind.json.JsonMapper;

/**
 * Leases jobs to workers: heartbeats renew leases, workers give jobs back, and leases expire. A
 * call of a worker counts only while its fencing number is the job's.
 */
@Component
class LeaseService {
  private static final int MAX_DOUBLINGS = 20;

  /** Leases that one round of expiry ends. */
  private static final int EXPIRY_BATCH = 1_000;

  private final JdbcClient database;
  private final JobRepository jobs;
  private final JobLifecycle lifecycle;
  private final JobEvents events;
  private final JobMetrics metrics;
  private final ApplicationEventPublisher publisher;
  private final JobSettings settings;
  private final JsonMapper json;

  /** Takes more than six beans: a lease changes the job, its events and the metrics together. */
  LeaseService(
      JdbcClient database,
      JobRepository jobs,
      JobLifecycle lifecycle,
      JobEvents events,
      JobMetrics metrics,
      ApplicationEventPublisher publisher,
      JobSettings settings,
      JsonMapper json) {
    this.database = database;
    this.jobs = jobs;
    this.lifecycle = lifecycle;
    this.events = events;
    this.metrics = metrics;
    this.publisher = publisher;
    this.settings = settings;
    this.json = json;
  }

  /**
   * Leases a worker the jobs that it can run: those of highest priority, and of these the oldest.
   * Of verifications of the same bytes by the same backend a key gets one at a time, and of those
   * that were requested together, in one transaction, one only.
   *
   * @param types of jobs that it may get, of those requested
   */
  @Transactional
  List<Job> lease(Caller worker, LeaseRequest request, Set<JobType> types) {
    if (types.contains(JobType.VERIFY)) {
      // One request of a key at a time: two at once would not see each other's jobs, and could
      // both take one of the same bytes.
      database
          .sql("select 1 from (select pg_advisory_xact_lock(hashtextextended(?, 0))) as held")
          .param(request.key())
          .query(Integer.class)
          .single();
    }
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("types", types.stream().map(JobType::name).toArray(String[]::new));
    values.put(
        "namespaces",
        worker.namespaces() == null ? null : worker.namespaces().toArray(String[]::new));
    values.put("backends", request.backends().toArray(String[]::new));
    values.put("cuda", request.cuda());
    values.put("memory", request.memoryBytes());
    values.put("models", request.models().toArray(String[]::new));
    values.put("key", request.key());
    values.put("worker", request.worker());
    values.put("account", worker.account());
    values.put("max", request.max());
    values.put("lease", JobSettings.seconds(settings.lease()));
    List<Job> leased =
        database
            .sql(
                """
                with candidate as (
                  select j.id, j.type, j.digest, j.backend, j.position from job j
                  where j.state = 'QUEUED' and j.not_before <= now() and j.type = any(:types)
                    and (cast(:namespaces as text[]) is null or j.namespace = any(:namespaces))
                    and (j.backend is null or j.backend = any(:backends))
                    and (not j.cuda or :cuda)
                    and j.memory_bytes <= :memory
                    and (j.model_id is null or exists (
                      select from object o where o.id = j.model_id
                        and (o.stored or o.revision = any(:models))))
                    and (j.type <> 'VERIFY' or (not :key = any(j.excluded_keys) and not exists (
                      select from job o where o.type = 'VERIFY' and o.digest = j.digest
                        and o.backend = j.backend and o.worker_key = :key
                        and (o.state = 'RUNNING'
                          or o.state = 'SUCCEEDED' and o.created_at = j.created_at))))
                  order by j.priority desc, j.position
                  limit :max for update of j skip locked),
                chosen as (
                  select id from (
                    select id, type, row_number()
                      over (partition by type, digest, backend order by position) as copy
                    from candidate) as numbered
                  where type <> 'VERIFY' or copy = 1)
                update job j set state = 'RUNNING', fence = nextval('lease_fence'),
                  worker = :worker, worker_account = :account, worker_key = :key,
                  expires_at = now() + make_interval(secs => :lease),
                  attempts = attempts + 1, started_at = coalesce(started_at, now()), reason = null
                from chosen where j.id = chosen.id
                returning j.*""")
            .params(values)
            .query((row, _) -> Job.read(row, json))
            .list();
    if (leased.isEmpty()) {
      return List.of();
    }
    events.addStates(
        leased.stream().map(Job::id).toList(), JobState.RUNNING, "with worker " + request.worker());
    return leased.stream()
        .sorted(
            Comparator.comparingInt((Job job) -> -job.details().priority())
                .thenComparingLong(Job::position))
        .toList();
  }

  /**
   * Returns a job that is leased to a worker, without locking it.
   *
   * @throws Refusal if the worker has it no longer, or it is to be cancelled
   */
  Job requireLeased(Caller worker, UUID id, long fence, String call) {
    Job job = jobs.find(id).orElseThrow(() -> Refusal.notFound("job " + id));
    boolean has =
        database
            .sql(
                """
                select exists (select from job
                  where id = ? and fence = ? and state = 'RUNNING' and worker_account = ?)""")
            .params(id, fence, worker.account())
            .query(Boolean.class)
            .single();
    if (!has) {
      throw lost(id, fence, call);
    }
    requireWanted(job, call);
    return job;
  }

  /**
   * Returns a job that is leased to a worker, and locks it until the caller's transaction ends.
   *
   * @throws Refusal if the worker has it no longer, or it is to be cancelled
   */
  @Transactional(propagation = Propagation.MANDATORY)
  Job lockLeased(Caller worker, UUID id, long fence, String call) {
    Job job =
        lockLeased(worker.account(), id, fence).orElseThrow(() -> lostOrAbsent(id, fence, call));
    requireWanted(job, call);
    return job;
  }

  /** Finds a job that is leased to an account, and locks it until the caller's transaction ends. */
  @Transactional(propagation = Propagation.MANDATORY)
  Optional<Job> lockLeased(String account, UUID id, long fence) {
    return database
        .sql(
            """
            select * from job
            where id = ? and fence = ? and state = 'RUNNING' and worker_account = ?
            for update""")
        .params(id, fence, account)
        .query((row, _) -> Job.read(row, json))
        .optional();
  }

  private void requireWanted(Job job, String call) {
    if (job.details().cancelRequested()) {
      metrics.late(call, 1);
      throw Refusal.of(
          HttpStatus.CONFLICT, "cancelled", "job %s is being cancelled".formatted(job.id()));
    }
  }

  private Refusal lostOrAbsent(UUID id, long fence, String call) {
    return jobs.find(id).isEmpty() ? Refusal.notFound("job " + id) : lost(id, fence, call);
  }

  private Refusal lost(UUID id, long fence, String call) {
    metrics.late(call, 1);
    return Refusal.of(
        HttpStatus.CONFLICT,
        "lease-lost",
        "lease lost: fence %d of job %s has expired or belongs to another account"
            .formatted(fence, id));
  }

  /**
   * Renews a lease and records the worker's report.
   *
   * @throws Refusal if the worker has the job no longer
   */
  @Transactional
  HeartbeatAnswer heartbeat(Caller worker, UUID id, Heartbeat report) {
    int lines = report.log().size() + report.metrics().size();
    record Renewed(HeartbeatAnswer answer, int events) {}
    Renewed renewed =
        database
            .sql(
                """
                update job set expires_at = now() + make_interval(secs => ?),
                  progress = coalesce(?::json, progress), events = events + ?
                where id = ? and fence = ? and state = 'RUNNING' and worker_account = ?
                returning cancel_requested, expires_at, events""")
            .params(
                JobSettings.seconds(settings.lease()),
                report.progress() == null ? null : json.writeValueAsString(report.progress()),
                lines,
                id,
                report.fence(),
                worker.account())
            .query(
                (row, _) ->
                    new Renewed(
                        new HeartbeatAnswer(
                            row.getBoolean("cancel_requested"),
                            row.getTimestamp("expires_at").toInstant()),
                        row.getInt("events")))
            .optional()
            .orElseThrow(() -> lostOrAbsent(id, report.fence(), "heartbeat"));
    events.addReport(id, report, renewed.events() <= JobEvents.MAX_KEPT);
    return renewed.answer();
  }

  /** Records a checkpoint, which replaces the previous one, of a job that is locked. */
  @Transactional(propagation = Propagation.MANDATORY)
  void checkpoint(UUID id, StoredBlob checkpoint) {
    database
        .sql(
            """
            update job set checkpoint_digest = ?, checkpoint_size = ?,
              expires_at = now() + make_interval(secs => ?)
            where id = ?""")
        .params(
            checkpoint.digest().toString(),
            checkpoint.size(),
            JobSettings.seconds(settings.lease()),
            id)
        .update();
  }

  /**
   * Takes a job back from a worker that could not run it.
   *
   * @throws Refusal if the worker has it no longer
   */
  @Transactional
  JobDetails fail(Caller worker, UUID id, JobFailure failure) {
    Job job =
        lockLeased(worker.account(), id, failure.fence())
            .orElseThrow(() -> lostOrAbsent(id, failure.fence(), "failure"));
    lifecycle.giveUp(job, failure.reason(), failure.retryable(), backoff(job.details().attempts()));
    return jobs.find(id).orElseThrow().details();
  }

  private Duration backoff(int attempts) {
    Duration wait =
        settings.backoff().multipliedBy(1L << Math.min(Math.max(attempts - 1, 0), MAX_DOUBLINGS));
    return wait.compareTo(settings.maxBackoff()) < 0 ? wait : settings.maxBackoff();
  }

  /** Ends expired leases, and queues or ends their jobs; returns how many. */
  @Transactional
  int expire() {
    record Lost(UUID id, JobType type, JobState state, String reason) {}
    List<Lost> expired =
        database
            .sql(
                """
                with lost as (
                  select id from job where state = 'RUNNING' and expires_at < now()
                  order by id limit ? for update skip locked)
                update job j set
                  state = case when cancel_requested then 'CANCELLED'
                    when attempts >= max_attempts then 'FAILED' else 'QUEUED' end,
                  reason = case when cancel_requested then reason
                    else 'worker ' || worker || ' stopped sending heartbeats in attempt '
                      || attempts || ' of ' || max_attempts end,
                  finished_at = case when cancel_requested or attempts >= max_attempts
                    then now() end,
                  not_before = now(), expires_at = null
                from lost where j.id = lost.id
                returning j.id, j.type, j.state, j.reason""")
            .param(EXPIRY_BATCH)
            .query(
                (row, _) ->
                    new Lost(
                        row.getObject("id", UUID.class),
                        JobType.valueOf(row.getString("type")),
                        JobState.valueOf(row.getString("state")),
                        row.getString("reason")))
            .list();
    for (Lost job : expired) {
      events.addState(job.id(), job.state(), job.reason());
      if (job.state().isEnd()) {
        metrics.ended(job.type(), job.state(), 1);
      }
    }
    if (!expired.isEmpty()) {
      metrics.expired(expired.size());
      publisher.publishEvent(new JobsQueued());
    }
    return expired.size();
  }

  /**
   * Takes jobs back that no worker has received, as if they had not been leased. They have changed
   * since only if they were cancelled, or expired.
   */
  @Transactional
  void giveBack(List<Job> leased, String reason) {
    // In the order of PostgreSQL, as every other transaction that locks several jobs: Java takes
    // the halves of a UUID as signed numbers.
    for (Job lease :
        leased.stream().sorted(Comparator.comparing(job -> job.id().toString())).toList()) {
      Optional<Job> job =
          jobs.lock(lease.id())
              .filter(running -> running.state() == JobState.RUNNING)
              .filter(running -> Objects.equals(running.fence(), lease.fence()));
      if (job.isPresent() && !job.get().details().cancelRequested()) {
        database
            .sql(
                """
                update job set state = 'QUEUED', expires_at = null, not_before = now(), reason = ?,
                  attempts = attempts - 1
                where id = ?""")
            .params(reason, lease.id())
            .update();
        events.addState(lease.id(), JobState.QUEUED, reason);
      } else {
        job.ifPresent(running -> lifecycle.giveUp(running, reason, true, Duration.ZERO));
      }
    }
    publisher.publishEvent(new JobsQueued());
  }
}

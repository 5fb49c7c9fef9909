package dev.nola.registry.jobs;

import dev.nola.api.job.Heartbeat;
import dev.nola.api.job.HeartbeatAnswer;
import dev.nola.api.job.JobFailure;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import dev.nola.api.job.LeaseRequest;
import dev.nola.format.Sha256;
import dev.nola.registry.access.Caller;
import dev.nola.registry.blobs.BlobUser;
import dev.nola.registry.web.Refusal;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.http.HttpStatus;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import tools.jackson.databind.json.JsonMapper;

/** What jobs are and become: every change of one is here. */
@Component
@EnableConfigurationProperties(JobSettings.class)
public class Jobs implements BlobUser {
  private static final int MAX_REASON = 4_000;
  private static final int MAX_DOUBLINGS = 20;

  /** Leases that one round of expiry ends. */
  private static final int EXPIRY_BATCH = 1_000;

  private static final int RETENTION_BATCH = 1_000;
  private static final String SERVER = "registry"; // who asks for verifications

  private static final String INSERT =
      """
      insert into job (id, type, state, priority, namespace, adapter, version, request, backend,
        cuda, memory_bytes, timeout_seconds, model_id, dataset_id, digest, nonce, created_by,
        token_id, created_at, not_before, max_attempts)
      values (?, ?, 'QUEUED', ?, ?, ?, ?, ?::json, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, now(), now(), ?)""";

  private final JdbcClient database;
  private final JdbcTemplate batches;
  private final JobEvents events;
  private final JobMetrics metrics;
  private final ApplicationEventPublisher publisher;
  private final JobSettings settings;
  private final JsonMapper json;

  Jobs(
      JdbcClient database,
      JdbcTemplate batches,
      JobEvents events,
      JobMetrics metrics,
      ApplicationEventPublisher publisher,
      JobSettings settings,
      JsonMapper json) {
    this.database = database;
    this.batches = batches;
    this.events = events;
    this.metrics = metrics;
    this.publisher = publisher;
    this.settings = settings;
    this.json = json;
  }

  /** That jobs may wait which did not before; sent within the transaction that makes it so. */
  record Queued() {}

  /**
   * A job to be added.
   *
   * @param request with references pinned
   * @param nonce in hexadecimal digits
   */
  record Added(
      UUID id,
      JobRequest request,
      String namespace,
      String adapter,
      String version,
      @Nullable String backend,
      boolean cuda,
      long memoryBytes,
      int timeoutSeconds,
      @Nullable Long modelId,
      @Nullable Long datasetId,
      @Nullable String digest,
      @Nullable String nonce,
      String createdBy,
      @Nullable UUID tokenId) {}

  // ---- Verifications, for those who judge them

  /**
   * A verification to be done.
   *
   * @param digest {@code sha256:…} of the adapter file
   * @param backend {@code scalar}, {@code vector} or {@code torch}
   * @param nonce 32 bytes in hexadecimal digits
   */
  public record Verification(
      String namespace,
      String adapter,
      String version,
      String digest,
      String backend,
      int priority,
      String nonce) {}

  /**
   * A verification that a worker has.
   *
   * @param key fingerprint of the worker's key, as it said when it took the job
   */
  public record LeasedVerification(
      UUID id,
      String namespace,
      String adapter,
      String version,
      String digest,
      String backend,
      String nonce,
      String key,
      String worker) {}

  /**
   * What came of a verification.
   *
   * @param outcome {@code match}, {@code mismatch} or {@code unsupported}
   * @param detail of it, or null
   */
  public record Verified(UUID job, long fence, String outcome, @Nullable String detail) {}

  /**
   * Asks for verifications, as part of the caller's transaction if there is one.
   *
   * @return the jobs' ids, in the same order
   */
  @Transactional
  public List<UUID> submitVerifications(List<Verification> verifications) {
    List<Added> added =
        verifications.stream()
            .map(
                wanted ->
                    new Added(
                        UUID.randomUUID(),
                        new JobRequest(
                            JobType.VERIFY,
                            wanted.priority(),
                            null,
                            new JobRequest.Verify(
                                wanted.namespace() + "/" + wanted.adapter(),
                                wanted.version(),
                                wanted.backend()),
                            null),
                        wanted.namespace(),
                        wanted.adapter(),
                        wanted.version(),
                        wanted.backend(),
                        false,
                        0,
                        0,
                        null,
                        null,
                        wanted.digest(),
                        wanted.nonce(),
                        SERVER,
                        null))
            .toList();
    add(added);
    return added.stream().map(Added::id).toList();
  }

  /**
   * Of verifications that a worker reports about, those that it still has, by job; locked until the
   * caller's transaction ends, so that none of them gets lost before it is finished or refused.
   *
   * @param account of the worker
   * @param fences that the worker sent, by job
   */
  @Transactional(propagation = Propagation.MANDATORY)
  public Map<UUID, LeasedVerification> leasedVerifications(String account, Map<UUID, Long> fences) {
    List<UUID> jobs = List.copyOf(fences.keySet());
    Map<UUID, LeasedVerification> leased = new HashMap<>();
    database
        .sql(
            """
            select j.id, j.namespace, j.adapter, j.version, j.digest, j.backend, j.nonce,
              j.worker_key, j.worker
            from job j join unnest(?::uuid[], ?::bigint[]) as sent (id, fence)
              on j.id = sent.id and j.fence = sent.fence
            where j.type = 'VERIFY' and j.state = 'RUNNING' and j.worker_account = ?
              and not j.cancel_requested
            order by j.id for update of j""")
        .params(
            jobs.toArray(UUID[]::new), jobs.stream().map(fences::get).toArray(Long[]::new), account)
        .query(
            row -> {
              UUID id = row.getObject("id", UUID.class);
              leased.put(
                  id,
                  new LeasedVerification(
                      id,
                      row.getString("namespace"),
                      row.getString("adapter"),
                      row.getString("version"),
                      row.getString("digest"),
                      row.getString("backend"),
                      HexFormat.of().formatHex(row.getBytes("nonce")),
                      row.getString("worker_key"),
                      row.getString("worker")));
            });
    metrics.late("attestation", jobs.size() - leased.size());
    return leased;
  }

  /**
   * Finishes verifications, as part of the caller's transaction if there is one.
   *
   * @param account of the worker
   * @return those that were finished; the others the worker no longer had
   */
  @Transactional
  public Set<UUID> finishVerifications(String account, List<Verified> verified) {
    if (verified.isEmpty()) {
      return Set.of();
    }
    Set<UUID> finished =
        new HashSet<>(
            database
                .sql(
                    """
                    with sent as (
                      select * from unnest(?::uuid[], ?::bigint[], ?::text[], ?::text[])
                        as sent (id, fence, outcome, detail)),
                    locked as (
                      select j.id, sent.outcome, sent.detail from job j
                        join sent on j.id = sent.id and j.fence = sent.fence
                      where j.type = 'VERIFY' and j.state = 'RUNNING' and j.worker_account = ?
                        and not j.cancel_requested
                      order by j.id for update of j),
                    done as (
                      update job j set state = 'SUCCEEDED', outcome = locked.outcome,
                        reason = locked.detail, expires_at = null, finished_at = now()
                      from locked where j.id = locked.id returning j.id, locked.detail)
                    insert into job_event (job_id, event, at, state, message)
                    select id, 'STATE', clock_timestamp(), 'SUCCEEDED', detail from done
                    returning job_id""")
                .params(
                    verified.stream().map(Verified::job).toArray(UUID[]::new),
                    verified.stream().map(Verified::fence).toArray(Long[]::new),
                    verified.stream().map(Verified::outcome).toArray(String[]::new),
                    verified.stream().map(Verified::detail).toArray(String[]::new),
                    account)
                .query(UUID.class)
                .list());
    metrics.ended(JobType.VERIFY, JobState.SUCCEEDED, finished.size());
    metrics.late("verification", verified.size() - finished.size());
    return finished;
  }

  /**
   * Puts a verification back whose attestation was refused; it is not given to the same key again.
   * Part of the caller's transaction if there is one.
   *
   * @return whether the worker still had it
   */
  @Transactional
  public boolean refuseVerification(String account, UUID job, long fence, String reason) {
    Optional<Job> leased = lockLeased(account, job, fence);
    if (leased.isEmpty() || leased.get().type() != JobType.VERIFY) {
      metrics.late("verification", 1);
      return false;
    }
    database
        .sql("update job set excluded_keys = excluded_keys || worker_key where id = ?")
        .param(job)
        .update();
    giveUp(leased.get(), reason, true, Duration.ZERO);
    return true;
  }

  /**
   * Ends the verifications of a version that have not begun, and asks those that have to stop.
   *
   * @return how many
   */
  @Transactional
  public int cancelVerifications(String namespace, String adapter, String version, String reason) {
    List<Job> open =
        database
            .sql(
                """
                select * from job where type = 'VERIFY' and namespace = ? and adapter = ?
                  and version = ? and state in ('QUEUED', 'RUNNING') and not cancel_requested
                order by id for update""")
            .params(namespace, adapter, version)
            .query((row, _) -> Job.read(row, json))
            .list();
    open.forEach(job -> cancel(job, reason));
    return open.size();
  }

  // ---- Asking for jobs

  @Transactional
  void add(List<Added> jobs) {
    if (jobs.isEmpty()) {
      return;
    }
    batches.batchUpdate(
        INSERT,
        jobs.stream()
            .map(
                job ->
                    new @Nullable Object[] {
                      job.id(),
                      job.request().type().name(),
                      job.request().priority() == null ? 0 : job.request().priority(),
                      job.namespace(),
                      job.adapter(),
                      job.version(),
                      json.writeValueAsString(job.request()),
                      job.backend(),
                      job.cuda(),
                      job.memoryBytes(),
                      job.timeoutSeconds(),
                      job.modelId(),
                      job.datasetId(),
                      job.digest(),
                      job.nonce() == null ? null : HexFormat.of().parseHex(job.nonce()),
                      job.createdBy(),
                      job.tokenId(),
                      settings.maxAttempts()
                    })
            .toList());
    events.addStates(jobs.stream().map(Added::id).toList(), JobState.QUEUED, null);
    publisher.publishEvent(new Queued());
  }

  Optional<Job> find(UUID id) {
    return database
        .sql("select * from job where id = ?")
        .param(id)
        .query((row, _) -> Job.read(row, json))
        .optional();
  }

  /** Holds the row until the caller's transaction ends. */
  @Transactional(propagation = Propagation.MANDATORY)
  Optional<Job> lock(UUID id) {
    return database
        .sql("select * from job where id = ? for update")
        .param(id)
        .query((row, _) -> Job.read(row, json))
        .optional();
  }

  /**
   * What to list, latest first.
   *
   * @param namespaces to list of, or null for all
   * @param before position of the last one of the page before
   */
  record Query(
      @Nullable Collection<String> namespaces,
      @Nullable JobState state,
      @Nullable JobType type,
      @Nullable String namespace,
      @Nullable String adapter,
      long before,
      int limit) {}

  List<Job> list(Query query) {
    StringBuilder sql = new StringBuilder("select * from job where position < :before");
    Map<String, Object> values = new HashMap<>();
    values.put("before", query.before());
    if (query.namespaces() != null) {
      sql.append(" and namespace = any(:namespaces)");
      values.put("namespaces", query.namespaces().toArray(String[]::new));
    }
    if (query.state() != null) {
      sql.append(" and state = :state");
      values.put("state", query.state().name());
    }
    if (query.type() != null) {
      sql.append(" and type = :type");
      values.put("type", query.type().name());
    }
    if (query.namespace() != null) {
      sql.append(" and namespace = :namespace");
      values.put("namespace", query.namespace());
    }
    if (query.adapter() != null) {
      sql.append(" and adapter = :adapter");
      values.put("adapter", query.adapter());
    }
    values.put("limit", query.limit());
    return database
        .sql(sql.append(" order by position desc limit :limit").toString())
        .params(values)
        .query((row, _) -> Job.read(row, json))
        .list();
  }

  /**
   * Ends a job, or asks the worker that has it to stop.
   *
   * @throws Refusal if it has ended otherwise
   */
  @Transactional
  void cancel(UUID id, String reason) {
    Job job = lock(id).orElseThrow();
    if (job.state() == JobState.CANCELLED || job.details().cancelRequested()) {
      return;
    }
    if (job.state().isEnd()) {
      throw ended(job);
    }
    cancel(job, reason);
  }

  private void cancel(Job job, String reason) {
    if (job.state() == JobState.QUEUED) {
      end(job, JobState.CANCELLED, reason);
      return;
    }
    database
        .sql("update job set cancel_requested = true, reason = ? where id = ?")
        .params(reason, job.id())
        .update();
    events.addState(job.id(), JobState.RUNNING, reason);
  }

  /**
   * Lets a job that has failed or was cancelled wait again, as if it were new.
   *
   * @throws Refusal if it has not
   */
  @Transactional
  void queueAgain(UUID id, JobRequest request, String version, String reason) {
    Job job = lock(id).orElseThrow();
    requireRetryable(job);
    database
        .sql(
            """
            update job set state = 'QUEUED', request = ?::json, version = ?, reason = null,
              attempts = 0, cancel_requested = false, not_before = now(), finished_at = null,
              excluded_keys = '{}'
            where id = ?""")
        .params(json.writeValueAsString(request), version, id)
        .update();
    events.addState(id, JobState.QUEUED, reason);
    publisher.publishEvent(new Queued());
  }

  /**
   * Insists that a job can be tried again.
   *
   * @throws Refusal if not
   */
  static void requireRetryable(Job job) {
    if (job.state() != JobState.FAILED && job.state() != JobState.CANCELLED) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "not-failed",
          "the job is %s; only one that failed or was cancelled is tried again"
              .formatted(word(job.state())));
    }
  }

  /**
   * Changes the priority of a job that waits.
   *
   * @throws Refusal if it does not
   */
  @Transactional
  void changePriority(UUID id, int priority) {
    Job job = lock(id).orElseThrow();
    if (job.state() != JobState.QUEUED) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "not-queued",
          "the job is %s; only one that waits is changed".formatted(word(job.state())));
    }
    database.sql("update job set priority = ? where id = ?").params(priority, id).update();
  }

  private static Refusal ended(Job job) {
    return Refusal.of(
        HttpStatus.CONFLICT, "ended", "the job has ended: it is " + word(job.state()));
  }

  private static String word(JobState state) {
    return state.name().toLowerCase();
  }

  // ---- Leases

  /**
   * Gives a worker the jobs that fit it: those of highest priority, and of these the oldest. Of
   * verifications of the same bytes by the same backend a key gets one at a time, and of those that
   * were asked for together, in one transaction, one only.
   *
   * @param types that it may have, of those it asks for
   */
  @Transactional
  List<Job> lease(Caller worker, LeaseRequest request, Set<JobType> types) {
    if (types.contains(JobType.VERIFY)) {
      // One after the other for each key: two at once would not see each other's jobs, and could
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
    values.put("lease", seconds(settings.lease()));
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
   * A job that a worker has; not held.
   *
   * @throws Refusal if the worker has it no longer, or it is to be cancelled
   */
  Job requireLeased(Caller worker, UUID id, long fence, String call) {
    Job job = find(id).orElseThrow(() -> Refusal.notFound("job " + id));
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
   * The same, held until the caller's transaction ends.
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

  private Optional<Job> lockLeased(String account, UUID id, long fence) {
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
          HttpStatus.CONFLICT, "cancelled", "the job %s is to be cancelled".formatted(job.id()));
    }
  }

  private Refusal lostOrAbsent(UUID id, long fence, String call) {
    return find(id).isEmpty() ? Refusal.notFound("job " + id) : lost(id, fence, call);
  }

  private Refusal lost(UUID id, long fence, String call) {
    metrics.late(call, 1);
    return Refusal.of(
        HttpStatus.CONFLICT,
        "lease-lost",
        "the lease with fence %d of the job %s has ended, or was never this account's"
            .formatted(fence, id));
  }

  /**
   * Renews a lease and notes what the worker reports.
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
                seconds(settings.lease()),
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

  /** Keeps a checkpoint instead of the one before. */
  @Transactional
  void checkpoint(Caller worker, UUID id, long fence, Sha256 digest, long size) {
    lockLeased(worker, id, fence, "checkpoint");
    database
        .sql(
            """
            update job set checkpoint_digest = ?, checkpoint_size = ?,
              expires_at = now() + make_interval(secs => ?)
            where id = ?""")
        .params(digest.toString(), size, seconds(settings.lease()), id)
        .update();
  }

  /** Ends a job that was locked with what it was for. */
  @Transactional(propagation = Propagation.MANDATORY)
  void succeed(Job job, Sha256 digest, long size, Map<String, Double> resultMetrics) {
    keepResult(job, digest, size, resultMetrics);
    end(job, JobState.SUCCEEDED, null);
  }

  /** Ends a job that was locked whose result could not be published, and keeps the result. */
  @Transactional(propagation = Propagation.MANDATORY)
  void failUnpublished(Job job, Sha256 digest, long size, String reason) {
    keepResult(job, digest, size, Map.of());
    end(job, JobState.FAILED, cut(reason));
  }

  /** Ends a job that was locked, now that its kept result is published. */
  @Transactional(propagation = Propagation.MANDATORY)
  void succeedLater(
      Job job, JobRequest request, String version, Map<String, Double> resultMetrics) {
    database
        .sql("update job set request = ?::json, version = ?, result_metrics = ?::json where id = ?")
        .params(json.writeValueAsString(request), version, metricsJson(resultMetrics), job.id())
        .update();
    end(job, JobState.SUCCEEDED, null);
  }

  private void keepResult(Job job, Sha256 digest, long size, Map<String, Double> resultMetrics) {
    database
        .sql(
            """
            update job set result_digest = ?, result_size = ?, result_metrics = ?::json
            where id = ?""")
        .params(digest.toString(), size, metricsJson(resultMetrics), job.id())
        .update();
  }

  private @Nullable String metricsJson(Map<String, Double> resultMetrics) {
    return resultMetrics.isEmpty() ? null : json.writeValueAsString(resultMetrics);
  }

  /**
   * Takes a job back from a worker that could not do it.
   *
   * @throws Refusal if the worker has it no longer
   */
  @Transactional
  void fail(Caller worker, UUID id, JobFailure failure) {
    Job job =
        lockLeased(worker.account(), id, failure.fence())
            .orElseThrow(() -> lostOrAbsent(id, failure.fence(), "failure"));
    giveUp(job, failure.reason(), failure.retryable(), backoff(job.details().attempts()));
  }

  private void giveUp(Job job, String reason, boolean retryable, Duration wait) {
    String cut = cut(reason);
    if (job.details().cancelRequested()) {
      end(job, JobState.CANCELLED, job.details().reason());
    } else if (retryable && job.details().attempts() < job.details().maxAttempts()) {
      database
          .sql(
              """
              update job set state = 'QUEUED', expires_at = null, reason = ?,
                not_before = now() + make_interval(secs => ?)
              where id = ?""")
          .params(cut, seconds(wait), job.id())
          .update();
      events.addState(job.id(), JobState.QUEUED, cut);
      publisher.publishEvent(new Queued());
    } else {
      end(job, JobState.FAILED, cut);
    }
  }

  private Duration backoff(int attempts) {
    Duration wait =
        settings.backoff().multipliedBy(1L << Math.min(Math.max(attempts - 1, 0), MAX_DOUBLINGS));
    return wait.compareTo(settings.maxBackoff()) < 0 ? wait : settings.maxBackoff();
  }

  /** A job that succeeded has no more use for its checkpoint; another may go on from it. */
  private void end(Job job, JobState state, @Nullable String reason) {
    database
        .sql(
            """
            update job set state = ?, reason = ?, expires_at = null, finished_at = now(),
              checkpoint_digest = case when ? then null else checkpoint_digest end
            where id = ?""")
        .params(state.name(), reason, state == JobState.SUCCEEDED, job.id())
        .update();
    events.addState(job.id(), state, reason);
    metrics.ended(job.type(), state, 1);
  }

  private static String cut(String reason) {
    String storable = JobEvents.storable(reason);
    return storable.length() <= MAX_REASON ? storable : storable.substring(0, MAX_REASON) + " …";
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1000.0;
  }

  // ---- What happens by itself

  /** Takes jobs back whose workers were not heard of; returns how many. */
  @Transactional
  int expire() {
    record Lost(UUID id, JobType type, JobState state, String reason) {}
    List<Lost> lost =
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
                    else 'worker ' || worker || ' was not heard of any more, in attempt '
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
    for (Lost job : lost) {
      events.addState(job.id(), job.state(), job.reason());
      if (job.state().isEnd()) {
        metrics.ended(job.type(), job.state(), 1);
      }
    }
    if (!lost.isEmpty()) {
      metrics.expired(lost.size());
      publisher.publishEvent(new Queued());
    }
    return lost.size();
  }

  /** Drops what ended jobs leave behind after their retention; the jobs themselves stay. */
  @Transactional
  int forgetEnded() {
    double retention = seconds(settings.retention());
    int jobs =
        database
            .sql(
                """
                update job set checkpoint_digest = null,
                  result_digest = case when type = 'TRAIN' and state = 'SUCCEEDED'
                    then result_digest end
                where id in (
                  select id from job
                  where (checkpoint_digest is not null or (result_digest is not null
                      and not (type = 'TRAIN' and state = 'SUCCEEDED')))
                    and finished_at < now() - make_interval(secs => ?)
                    and state in ('SUCCEEDED', 'FAILED', 'CANCELLED')
                  limit ? for update skip locked)""")
            .params(retention, RETENTION_BATCH)
            .update();
    database
        .sql(
            """
            delete from job_event e using job j
            where e.job_id = j.id and e.at < now() - make_interval(secs => ?)
              and j.finished_at < now() - make_interval(secs => ?)
              and j.state in ('SUCCEEDED', 'FAILED', 'CANCELLED')""")
        .params(retention, retention)
        .update();
    return jobs;
  }

  /** Checkpoints and results; what is published the catalog refers to. */
  @Override
  public boolean refersTo(Sha256 digest) {
    return database
        .sql(
            """
            select exists (select from job where checkpoint_digest = ?)
              or exists (select from job where result_digest = ?
                and not (type = 'TRAIN' and state = 'SUCCEEDED'))""")
        .params(digest.toString(), digest.toString())
        .query(Boolean.class)
        .single();
  }

  /** They are kept for a time only, and do not count. */
  @Override
  public long sizeOfNamespace(long namespaceId) {
    return 0;
  }
}

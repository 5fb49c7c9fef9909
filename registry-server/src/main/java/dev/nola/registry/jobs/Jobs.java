package dev.nola.registry.jobs;

import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import dev.nola.digest.Sha256;
import dev.nola.registry.blobs.BlobUser;
import dev.nola.registry.web.Refusal;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

/**
 * What jobs are and become, whoever asks for them and whoever does them: added, found, cancelled,
 * queued again and ended. How workers get and keep them is {@link Leasing}.
 */
@Component
@EnableConfigurationProperties(JobSettings.class)
class Jobs implements BlobUser {
  private static final int MAX_REASON = 4_000;
  private static final int RETENTION_BATCH = 1_000;

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

  /** The same for a job that was locked and has not ended. */
  @Transactional(propagation = Propagation.MANDATORY)
  void cancel(Job job, String reason) {
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

  // ---- How they end

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
   * Takes a job that was locked from its worker: it waits for another try, if that may help and
   * there is one left, or has ended.
   */
  @Transactional(propagation = Propagation.MANDATORY)
  void giveUp(Job job, String reason, boolean retryable, Duration wait) {
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
          .params(cut, JobSettings.seconds(wait), job.id())
          .update();
      events.addState(job.id(), JobState.QUEUED, cut);
      publisher.publishEvent(new Queued());
    } else {
      end(job, JobState.FAILED, cut);
    }
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

  // ---- What they leave behind

  /** Drops what ended jobs leave behind after their retention; the jobs themselves stay. */
  @Transactional
  int forgetEnded() {
    double retention = JobSettings.seconds(settings.retention());
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

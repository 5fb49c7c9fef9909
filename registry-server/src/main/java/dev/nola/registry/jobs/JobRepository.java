package dev.nola.registry.jobs;

import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.digest.Sha256;
import dev.nola.registry.blobs.BlobUser;
import dev.nola.registry.blobs.StoredBlob;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import tools.jackson.databind.json.JsonMapper;

/** Reads and writes the table of jobs. {@link JobLifecycle} decides which changes are allowed. */
@Component
class JobRepository implements BlobUser {
  private static final int RETENTION_BATCH = 1_000;

  private static final String SIZES =
      """
      select n.id, least(sum(
        case when j.checkpoint_digest is null then 0 else j.checkpoint_size end
        + case when j.result_digest is null or j.type <> 'EXPORT' then 0
          else j.result_size end), 9223372036854775807)::bigint as size
      from job j join namespace n on n.name = j.namespace
      where %s (j.checkpoint_digest is not null or j.result_digest is not null)
      group by n.id""";

  private static final String INSERT =
      """
      insert into job (id, type, state, priority, namespace, adapter, version, request, backend,
        cuda, memory_bytes, timeout_seconds, model_id, dataset_id, digest, nonce, created_by,
        token_id, created_at, not_before, max_attempts)
      values (?, ?, 'QUEUED', ?, ?, ?, ?, ?::json, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, now(), now(), ?)""";

  private final JdbcClient database;
  private final JdbcTemplate batches;
  private final JsonMapper json;

  JobRepository(JdbcClient database, JdbcTemplate batches, JsonMapper json) {
    this.database = database;
    this.batches = batches;
    this.json = json;
  }

  /**
   * Inserts queued jobs.
   *
   * @param jobs to insert
   * @param maxAttempts that each of them has
   */
  void insert(List<NewJob> jobs, int maxAttempts) {
    batches.batchUpdate(INSERT, jobs.stream().map(job -> row(job, maxAttempts)).toList());
  }

  private @Nullable Object[] row(NewJob job, int maxAttempts) {
    NewJob.Inputs inputs = job.inputs();
    return new @Nullable Object[] {
      job.id(),
      job.request().type().name(),
      job.request().priority() == null ? 0 : job.request().priority(),
      job.subject().namespace(),
      job.subject().adapter(),
      job.subject().version(),
      json.writeValueAsString(job.request()),
      job.requirements().backend(),
      job.requirements().cuda(),
      job.requirements().memoryBytes(),
      job.requirements().timeoutSeconds(),
      inputs.modelId(),
      inputs.datasetId(),
      inputs.digest() == null ? null : inputs.digest().toString(),
      inputs.nonce() == null ? null : inputs.nonce().toBytes(),
      job.origin().account(),
      job.origin().tokenId(),
      maxAttempts
    };
  }

  /**
   * Finds a job.
   *
   * @param id of the job
   * @return the job, or empty if absent
   */
  Optional<Job> find(UUID id) {
    return database
        .sql("select * from job where id = ?")
        .param(id)
        .query((row, _) -> Job.read(row, json))
        .optional();
  }

  /**
   * Finds a job and holds its row until the caller's transaction ends.
   *
   * @param id of the job
   * @return the job, or empty if absent
   */
  @Transactional(propagation = Propagation.MANDATORY)
  Optional<Job> lock(UUID id) {
    return database
        .sql("select * from job where id = ? for update")
        .param(id)
        .query((row, _) -> Job.read(row, json))
        .optional();
  }

  /**
   * Counts the queued jobs that an account requested. Its other submissions wait until the caller's
   * transaction ends.
   *
   * @param account that requested them
   * @return the number of jobs
   */
  @Transactional(propagation = Propagation.MANDATORY)
  int countQueued(String account) {
    // First, and by itself: a statement does not see what was committed while it waited for a lock.
    database
        .sql("select 1 from (select pg_advisory_xact_lock(hashtextextended(?, 2))) as held")
        .param(account)
        .query(Integer.class)
        .single();
    return database
        .sql("select count(*) from job where state = 'QUEUED' and created_by = ?")
        .param(account)
        .query(Integer.class)
        .single();
  }

  /**
   * Lists jobs, latest first.
   *
   * @param query selects them
   * @return at most {@code query.limit()} jobs
   */
  List<Job> list(JobQuery query) {
    StringBuilder sql = new StringBuilder("select * from job where position < :lastPosition");
    Map<String, Object> values = new HashMap<>();
    values.put("lastPosition", query.lastPosition());
    values.put("limit", query.limit());
    if (query.visible() != null) {
      sql.append(" and namespace = any(:visible)");
      values.put("visible", query.visible().toArray(String[]::new));
    }
    JobQuery.Filter filter = query.filter();
    addCondition(sql, values, "state", filter.state() == null ? null : filter.state().name());
    addCondition(sql, values, "type", filter.type() == null ? null : filter.type().name());
    addCondition(sql, values, "namespace", filter.effectiveNamespace());
    addCondition(sql, values, "adapter", filter.adapterName());
    return database
        .sql(sql.append(" order by position desc limit :limit").toString())
        .params(values)
        .query((row, _) -> Job.read(row, json))
        .list();
  }

  private static void addCondition(
      StringBuilder sql, Map<String, Object> values, String column, @Nullable String value) {
    if (value != null) {
      sql.append(" and ").append(column).append(" = :").append(column);
      values.put(column, value);
    }
  }

  /**
   * Marks a running job as to be cancelled.
   *
   * @param id of the job
   * @param reason of the cancellation
   */
  void requestCancel(UUID id, String reason) {
    database
        .sql("update job set cancel_requested = true, reason = ? where id = ?")
        .params(reason, id)
        .update();
  }

  /**
   * Queues an ended job as if it were new.
   *
   * @param id of the job
   * @param request that replaces the job's request
   * @param version that the job makes from now on
   */
  void requeue(UUID id, JobRequest request, String version) {
    database
        .sql(
            """
            update job set state = 'QUEUED', request = ?::json, version = ?, reason = null,
              attempts = 0, cancel_requested = false, not_before = now(), started_at = null,
              finished_at = null, excluded_keys = '{}'
            where id = ?""")
        .params(json.writeValueAsString(request), version, id)
        .update();
  }

  /**
   * Queues a running job for another attempt.
   *
   * @param id of the job
   * @param reason why the last attempt ended
   * @param wait before the next attempt
   */
  void postpone(UUID id, String reason, Duration wait) {
    database
        .sql(
            """
            update job set state = 'QUEUED', expires_at = null, reason = ?,
              not_before = now() + make_interval(secs => ?)
            where id = ?""")
        .params(reason, JobSettings.seconds(wait), id)
        .update();
  }

  /**
   * Sets the priority of a job.
   *
   * @param id of the job
   * @param priority of the job; higher runs first
   */
  void setPriority(UUID id, int priority) {
    database.sql("update job set priority = ? where id = ?").params(priority, id).update();
  }

  /**
   * Records the result of a job.
   *
   * @param id of the job
   * @param result bytes that the job made
   * @param metrics evaluation of the result by name; may be empty
   */
  void keepResult(UUID id, StoredBlob result, Map<String, Double> metrics) {
    database
        .sql(
            """
            update job set result_digest = ?, result_size = ?, result_metrics = ?::json
            where id = ?""")
        .params(result.digest().toString(), result.size(), metricsJson(metrics), id)
        .update();
  }

  /**
   * Records under which version the kept result of a job was published.
   *
   * @param id of the job
   * @param request that replaces the job's request
   * @param version that was published
   * @param metrics evaluation of the result by name; may be empty
   */
  void setPublished(UUID id, JobRequest request, String version, Map<String, Double> metrics) {
    database
        .sql("update job set request = ?::json, version = ?, result_metrics = ?::json where id = ?")
        .params(json.writeValueAsString(request), version, metricsJson(metrics), id)
        .update();
  }

  private @Nullable String metricsJson(Map<String, Double> metrics) {
    return metrics.isEmpty() ? null : json.writeValueAsString(metrics);
  }

  /**
   * Records the end of a job. A job that succeeded loses its checkpoint; a later attempt of any
   * other may continue from it.
   *
   * @param id of the job
   * @param state in which it ends
   * @param reason of the end, or null
   */
  void end(UUID id, JobState state, @Nullable String reason) {
    database
        .sql(
            """
            update job set state = ?, reason = ?, expires_at = null, finished_at = now(),
              cancel_requested = false, checkpoint_digest = case when ? then null else checkpoint_digest end
            where id = ?""")
        .params(state.name(), reason, state == JobState.SUCCEEDED, id)
        .update();
  }

  /**
   * Drops checkpoints, unpublished results and events of ended jobs; the jobs themselves stay.
   *
   * @param retention how long after a job's end they are kept
   * @return the number of jobs that lost a checkpoint or result
   */
  @Transactional
  int forgetEnded(Duration retention) {
    double seconds = JobSettings.seconds(retention);
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
            .params(seconds, RETENTION_BATCH)
            .update();
    database
        .sql(
            """
            delete from job_event e using job j
            where e.job_id = j.id and e.at < now() - make_interval(secs => ?)
              and j.finished_at < now() - make_interval(secs => ?)
              and j.state in ('SUCCEEDED', 'FAILED', 'CANCELLED')""")
        .params(seconds, seconds)
        .update();
    return jobs;
  }

  /** Refers to checkpoints and unpublished results; the catalog refers to published ones. */
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

  @Override
  public List<Sha256> references(String last, int limit) {
    return database
        .sql(
            """
            select digest from (
              select checkpoint_digest as digest from job where checkpoint_digest is not null
              union
              select result_digest from job where result_digest is not null
                and not (type = 'TRAIN' and state = 'SUCCEEDED')) as kept
            where digest > ? order by digest limit ?""")
        .params(last, limit)
        .query((row, _) -> Sha256.parse(row.getString(1)))
        .list();
  }

  /**
   * Returns the size of checkpoints and exported archives. A training's result that could not be
   * published does not count: it is kept so that it can be published when there is room.
   */
  @Override
  public long sizeOfNamespace(long namespaceId) {
    return database
        .sql(SIZES.formatted("n.id = ? and"))
        .param(namespaceId)
        .query((row, _) -> row.getLong("size"))
        .optional()
        .orElse(0L);
  }

  @Override
  public Map<Long, Long> sizesOfNamespaces() {
    return database
        .sql(SIZES.formatted(""))
        .query((row, _) -> Map.entry(row.getLong("id"), row.getLong("size")))
        .list()
        .stream()
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }
}

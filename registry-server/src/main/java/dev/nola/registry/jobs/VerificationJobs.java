package dev.nola.registry.jobs;

import dev.nola.api.attestation.Nonce;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import dev.nola.digest.Sha256;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import tools.jackson.databind.json.JsonMapper;

/** Queues, leases, finishes and cancels verification jobs, many at a time. */
@Component
public class VerificationJobs {
  private static final String SERVER = "registry";

  private final JdbcClient database;
  private final JobLifecycle lifecycle;
  private final LeaseService leasing;
  private final JobMetrics metrics;
  private final JsonMapper json;

  VerificationJobs(
      JdbcClient database,
      JobLifecycle lifecycle,
      LeaseService leasing,
      JobMetrics metrics,
      JsonMapper json) {
    this.database = database;
    this.lifecycle = lifecycle;
    this.leasing = leasing;
    this.metrics = metrics;
    this.json = json;
  }

  /**
   * A verification to be queued; flat, as its columns are.
   *
   * @param namespace of the adapter
   * @param adapter name of the adapter within its namespace
   * @param version its number
   * @param digest of the adapter file
   * @param backend {@code scalar}, {@code vector} or {@code torch}
   * @param priority of the job; higher runs first
   * @param nonce number used once that the proof must include
   */
  public record Verification(
      String namespace,
      String adapter,
      String version,
      Sha256 digest,
      String backend,
      int priority,
      Nonce nonce) {}

  /**
   * A verification that is leased to a worker; flat, as its columns are.
   *
   * @param id of the job
   * @param namespace of the adapter
   * @param adapter name of the adapter within its namespace
   * @param version its number
   * @param digest of the adapter file
   * @param backend {@code scalar}, {@code vector} or {@code torch}
   * @param nonce number used once that the proof must include
   * @param key fingerprint of the worker's key, as it stated when it leased the job
   * @param worker name of the worker
   */
  public record LeasedVerification(
      UUID id,
      String namespace,
      String adapter,
      String version,
      Sha256 digest,
      String backend,
      Nonce nonce,
      Sha256 key,
      String worker) {}

  /**
   * The outcome of a verification.
   *
   * @param job id of the job
   * @param fence of the lease
   * @param outcome {@code match}, {@code mismatch} or {@code unsupported}
   * @param detail of the outcome, or null
   */
  public record Verified(UUID job, long fence, String outcome, @Nullable String detail) {}

  /**
   * Queues verifications, as part of the caller's transaction if there is one.
   *
   * @param verifications to queue; may be empty
   * @return ids of the jobs, in the same order
   */
  @Transactional
  public List<UUID> submitVerifications(List<Verification> verifications) {
    List<NewJob> newJobs =
        verifications.stream()
            .map(
                verification ->
                    new NewJob(
                        UUID.randomUUID(),
                        new JobRequest(
                            verification.priority(),
                            new JobRequest.Verify(
                                verification.namespace() + "/" + verification.adapter(),
                                verification.version(),
                                verification.backend())),
                        new NewJob.Subject(
                            verification.namespace(),
                            verification.adapter(),
                            verification.version()),
                        NewJob.Requirements.ofBackend(verification.backend()),
                        new NewJob.Inputs(null, null, verification.digest(), verification.nonce()),
                        new NewJob.Origin(SERVER, null)))
            .toList();
    lifecycle.add(newJobs);
    return newJobs.stream().map(NewJob::id).toList();
  }

  /**
   * Keeps verifications from workers with some keys.
   *
   * @param jobs ids of the jobs
   * @param keys fingerprints of the keys
   */
  @Transactional(propagation = Propagation.MANDATORY)
  public void excludeKeys(List<UUID> jobs, List<String> keys) {
    database
        .sql("update job set excluded_keys = excluded_keys || ? where id = any(?)")
        .params(keys.toArray(String[]::new), jobs.toArray(UUID[]::new))
        .update();
  }

  /**
   * Finds the verifications that a worker still has, of those it reports about. They stay locked
   * until the caller's transaction ends, so that none is lost before it is finished or refused.
   *
   * @param account of the worker
   * @param fences that the worker sent, by job
   * @return verifications by job
   */
  @Transactional(propagation = Propagation.MANDATORY)
  public Map<UUID, LeasedVerification> leasedVerifications(String account, Map<UUID, Long> fences) {
    List<UUID> ids = List.copyOf(fences.keySet());
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
            ids.toArray(UUID[]::new), ids.stream().map(fences::get).toArray(Long[]::new), account)
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
                      Sha256.parse(row.getString("digest")),
                      row.getString("backend"),
                      Nonce.ofBytes(row.getBytes("nonce")),
                      Sha256.parse(row.getString("worker_key")),
                      row.getString("worker")));
            });
    metrics.late("attestation", ids.size() - leased.size());
    return leased;
  }

  /**
   * Locks jobs until the caller's transaction ends. To be called before several are finished or
   * refused, since that takes them in no order.
   *
   * @param jobs their ids
   */
  @Transactional(propagation = Propagation.MANDATORY)
  public void lock(Collection<UUID> jobs) {
    database
        .sql("select id from job where id = any(?) order by id for update")
        .params((Object) jobs.toArray(UUID[]::new))
        .query(UUID.class)
        .list();
  }

  /**
   * Finishes verifications, as part of the caller's transaction if there is one.
   *
   * @param account of the worker
   * @param verified outcomes; may be empty
   * @return the jobs that were finished; the worker no longer had the others
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
   * Queues a verification again whose attestation was refused, for a worker with another key. Part
   * of the caller's transaction if there is one.
   *
   * @param account of the worker
   * @param job id of the job
   * @param fence of the lease
   * @param reason of the refusal
   * @return whether the worker still had the job
   */
  @Transactional
  public boolean refuseVerification(String account, UUID job, long fence, String reason) {
    Optional<Job> leased = leasing.lockLeased(account, job, fence);
    if (leased.isEmpty() || leased.get().type() != JobType.VERIFY) {
      metrics.late("verification", 1);
      return false;
    }
    database
        .sql("update job set excluded_keys = excluded_keys || worker_key where id = ?")
        .param(job)
        .update();
    lifecycle.giveUp(leased.get(), reason, true, Duration.ZERO);
    return true;
  }

  /**
   * Cancels the verifications of a version: queued ones end, running ones are asked to stop.
   *
   * @param namespace of the adapter
   * @param adapter name of the adapter within its namespace
   * @param version its number
   * @param reason recorded with the jobs
   * @return number of jobs
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
    open.forEach(job -> lifecycle.cancel(job, reason));
    return open.size();
  }
}

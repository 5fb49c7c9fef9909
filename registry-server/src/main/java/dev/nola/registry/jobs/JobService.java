package dev.nola.registry.jobs;

import dev.nola.api.Page;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobRetry;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.web.Cursor;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.Refusal;
import dev.nola.text.Label;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/** Submits, changes, cancels and retries jobs, if the caller may, and writes the audit log. */
@Component
public class JobService {
  private static final String LIST = "jobs";

  private final JobSubmission submission;
  private final JobRepository jobs;
  private final JobLifecycle lifecycle;
  private final JobResults results;
  private final WaitingReasons waiting;
  private final Access access;
  private final AuditLog audit;

  /** Takes more than six beans: each call checks rights, changes the job, and describes it. */
  JobService(
      JobSubmission submission,
      JobRepository jobs,
      JobLifecycle lifecycle,
      JobResults results,
      WaitingReasons waiting,
      Access access,
      AuditLog audit) {
    this.submission = submission;
    this.jobs = jobs;
    this.lifecycle = lifecycle;
    this.results = results;
    this.waiting = waiting;
    this.access = access;
    this.audit = audit;
  }

  /**
   * Finds a job that the caller may see.
   *
   * @param caller of the request
   * @param id of the job
   * @return the job
   * @throws Refusal with status 404 if it does not exist
   */
  Job see(Caller caller, UUID id) {
    return jobs.find(id)
        .filter(job -> access.seesPrivate(caller, job.details().namespace()))
        .orElseThrow(() -> Refusal.notFound("job " + id));
  }

  /**
   * Reads a job that the caller may see.
   *
   * @param caller of the request
   * @param id of the job
   * @return the job, with the reasons why it waits
   * @throws Refusal with status 404 if it does not exist
   */
  public JobDetails get(Caller caller, UUID id) {
    return waiting.explain(see(caller, id)).details();
  }

  /**
   * Lists jobs that the caller may see, latest first, with the reasons why they wait.
   *
   * @param caller of the request
   * @param filter conditions on the jobs
   * @param limit maximum number of jobs
   * @param cursor of the page before; null for the first page
   * @return a page
   * @throws Refusal with status 422 if the filter's adapter is malformed or in another namespace,
   *     or the limit or cursor is invalid
   */
  public ResponseEntity<Page<JobDetails>> list(
      Caller caller, JobQuery.Filter filter, int limit, @Nullable String cursor) {
    long lastPosition = cursor == null ? Long.MAX_VALUE : Cursor.parse(cursor, LIST, 1).number(0);
    filter.requireConsistent();
    JobQuery query =
        new JobQuery(
            caller.readsAll() ? null : access.namespacesOf(caller),
            filter,
            lastPosition,
            Pages.fetch(limit));
    return Pages.of(
        waiting.explain(jobs.list(query)),
        limit,
        last -> new Cursor(LIST, List.of(Long.toString(last.position()))),
        Job::details);
  }

  /**
   * Finds the file that is kept of a job: an exported archive, or an adapter that could not be
   * published.
   *
   * @param caller of the request
   * @param id of the job
   * @return digest of the file
   * @throws Refusal with status 404 if the job does not exist or no file is kept
   */
  public Sha256 resultFile(Caller caller, UUID id) {
    return see(caller, id).resultFile();
  }

  /**
   * Submits a job.
   *
   * @param caller of the request
   * @param request what to do
   * @return the queued job
   * @throws Refusal if the caller may not, or the request breaks a rule
   */
  @Transactional
  JobDetails submit(Caller caller, JobRequest request) {
    JobDetails job = read(submission.submit(caller, request));
    note(caller, "job.submit", job, Label.of(job.type()));
    return job;
  }

  /**
   * Changes the priority of a queued job.
   *
   * @param caller of the request
   * @param id of the job
   * @param priority of the job; higher runs first
   * @return the job
   * @throws Refusal if the caller may not, or the job is not queued
   */
  @Transactional
  JobDetails changePriority(Caller caller, UUID id, int priority) {
    Job job = requireMember(caller, id);
    submission.requirePriority(caller, priority);
    lifecycle.changePriority(id, priority);
    note(caller, "job.priority", job.details(), Integer.toString(priority));
    return read(id);
  }

  /**
   * Cancels a job, or asks the worker that runs it to stop.
   *
   * @param caller of the request
   * @param id of the job
   * @return the job
   * @throws Refusal if the caller may not, or the job has ended
   */
  @Transactional
  public JobDetails cancel(Caller caller, UUID id) {
    Job job = requireMember(caller, id);
    lifecycle.cancel(id, "cancelled by " + caller.account());
    note(caller, "job.cancel", job.details(), "");
    return read(id);
  }

  /**
   * Retries a job that failed or was cancelled: publishes its result if it was kept, else queues
   * it.
   *
   * @param caller of the request
   * @param id of the job
   * @param retry changes to the request, or null
   * @return the job
   * @throws Refusal if the caller may not, or the job can be neither published nor queued
   * @throws IOException if a kept result cannot be read
   */
  public JobDetails retry(Caller caller, UUID id, @Nullable JobRetry retry) throws IOException {
    Job job = requireMember(caller, id);
    JobLifecycle.requireRetryable(job);
    JobRequest request = job.details().request();
    String version = retry == null || retry.version() == null ? job.version() : retry.version();
    boolean hasResult = job.details().result() != null;
    if (!(request.work() instanceof JobRequest.Train train)) {
      if (!version.equals(job.version())) {
        throw Refusal.invalid("version", "version may be set for training jobs only");
      }
    } else if (!hasResult || !version.equals(job.version())) {
      request = new JobRequest(request.priority(), submission.withVersion(caller, train, version));
    }
    if (hasResult) {
      results.publishKept(caller, job, request, version);
    } else {
      submission.queueAgain(caller, job, request, version);
    }
    note(caller, "job.retry", job.details(), version);
    return read(id);
  }

  private JobDetails read(UUID id) {
    return waiting.explain(jobs.find(id).orElseThrow()).details();
  }

  private Job requireMember(Caller caller, UUID id) {
    Job job = see(caller, id);
    access.requireMember(caller, job.details().namespace());
    return job;
  }

  private void note(Caller caller, String action, JobDetails job, String detail) {
    audit.add(caller.account(), caller.tokenId(), action, "job " + job.id(), detail);
  }
}

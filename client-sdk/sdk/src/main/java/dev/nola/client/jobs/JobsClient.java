package dev.nola.client.jobs;

import dev.nola.api.Page;
import dev.nola.api.job.JobChange;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobEvent;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobRetry;
import dev.nola.api.job.WorkerDetails;
import dev.nola.client.RegistryException;
import dev.nola.client.http.Call;
import dev.nola.client.http.Content;
import dev.nola.client.http.Query;
import dev.nola.client.http.Transport;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** Submits jobs, follows them, fetches their results, and lists the workers that run them. */
public final class JobsClient {
  private static final String JOBS = "/api/v1/jobs";

  /** The longest time without a byte: the registry sends keep-alive comments more often. */
  private static final Duration SILENCE = Duration.ofMinutes(2);

  private final Transport transport;

  /**
   * Creates the client; applications get it from a {@code NolaClient}.
   *
   * @param transport sends the requests
   */
  public JobsClient(Transport transport) {
    this.transport = transport;
  }

  /**
   * Submits a job. The request is never sent twice: that would create two.
   *
   * @param request the job
   * @return the job as the registry queued it
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public JobDetails submit(JobRequest request) throws IOException, InterruptedException {
    return transport.json(
        Call.of("POST", JOBS).with(Content.json(request)).once(), new TypeReference<>() {});
  }

  /**
   * Reads a job.
   *
   * @param job the job's id
   * @return the job
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public JobDetails get(UUID job) throws IOException, InterruptedException {
    return transport.json(Call.get(path(job)), new TypeReference<>() {});
  }

  /**
   * Lists jobs, newest first.
   *
   * @param filters any of {@code state}, {@code type}, {@code namespace}, {@code adapter}, {@code
   *     limit}
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return a page of jobs
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<JobDetails> list(Map<String, String> filters, @Nullable String cursor)
      throws IOException, InterruptedException {
    Query query = new Query();
    filters.forEach(query::add);
    return transport.json(Call.get(JOBS + query.add("cursor", cursor)), new TypeReference<>() {});
  }

  /**
   * Requests a job's cancellation.
   *
   * @param job the job's id
   * @return the job
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public JobDetails cancel(UUID job) throws IOException, InterruptedException {
    return transport.json(Call.of("POST", path(job) + "/cancel"), new TypeReference<>() {});
  }

  /**
   * Retries a job that failed or was cancelled.
   *
   * @param job the job's id
   * @param how what to change for the retry
   * @return the job
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public JobDetails retry(UUID job, JobRetry how) throws IOException, InterruptedException {
    return transport.json(
        Call.of("POST", path(job) + "/retry").with(Content.json(how)).once(),
        new TypeReference<>() {});
  }

  /**
   * Changes a waiting job.
   *
   * @param job the job's id
   * @param change the change
   * @return the job
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public JobDetails change(UUID job, JobChange change) throws IOException, InterruptedException {
    return transport.json(
        Call.of("PATCH", path(job)).with(Content.json(change)), new TypeReference<>() {});
  }

  /**
   * Writes a job's result into a file.
   *
   * @param job the job's id
   * @param file the file to write
   * @param limit the largest result, in bytes
   * @return its digest
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Sha256 result(UUID job, Path file, long limit) throws IOException, InterruptedException {
    return transport.save(Call.get(path(job) + "/result").accepting("*/*"), file, limit);
  }

  /**
   * Lists workers by account and name, with what they offer, up to 100 at once.
   *
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return a page of workers
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<WorkerDetails> workers(@Nullable String cursor)
      throws IOException, InterruptedException {
    Query query = new Query().page(cursor);
    return transport.json(Call.get("/api/v1/workers" + query), new TypeReference<>() {});
  }

  /** Receives a job's events. */
  @FunctionalInterface
  public interface Listener {
    /**
     * Handles an event.
     *
     * @param event the event
     */
    void on(JobEvent event);
  }

  /**
   * Reads the events of a job so far.
   *
   * @param job the job's id
   * @param listener receives each event, on the calling thread
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void events(UUID job, Listener listener) throws IOException, InterruptedException {
    events(path(job) + "/events?follow=false", 0, listener);
  }

  /**
   * Follows a job until its end, or until the registry ends the stream; to continue, pass the last
   * event's id.
   *
   * @param job the job's id
   * @param after id of the last event that is known; 0 for all
   * @param listener receives each event, on the calling thread
   * @return id of the last event
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public long follow(UUID job, long after, Listener listener)
      throws IOException, InterruptedException {
    return events(path(job) + "/events", after, listener);
  }

  private long events(String path, long after, Listener listener)
      throws IOException, InterruptedException {
    AtomicLong last = new AtomicLong(after);
    Call call =
        Call.get(path)
            .with(Map.of("Accept", "text/event-stream", "Last-Event-ID", Long.toString(after)));
    transport.events(
        call,
        SILENCE,
        data -> {
          JobEvent event = JsonMapper.shared().readValue(data, JobEvent.class);
          last.set(event.id());
          listener.on(event);
        });
    return last.get();
  }

  static String path(UUID job) {
    return JOBS + "/" + job;
  }
}

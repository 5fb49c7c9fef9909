package dev.nola.registry.jobs;

import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.job.JobType;
import dev.nola.api.job.LeaseRequest;
import dev.nola.api.job.Leases;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Caller;
import dev.nola.registry.keys.WorkerKeyRepository;
import dev.nola.registry.web.Refusal;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/** Answers a worker's request for jobs, waiting for them if there are none yet. */
@Component
class LeasePoll {
  private static final Logger LOG = LoggerFactory.getLogger(LeasePoll.class);

  /** Between two queries for jobs that other replicas queued, or whose time has come. */
  private static final Duration QUERY_INTERVAL = Duration.ofSeconds(1);

  private final LeaseService leasing;
  private final LeaseDescriber describer;
  private final WorkerRepository workers;
  private final WorkerKeyRepository keys;
  private final QueueSignal signal;
  private final JsonMapper json;

  LeasePoll(
      LeaseService leasing,
      LeaseDescriber describer,
      WorkerRepository workers,
      WorkerKeyRepository keys,
      QueueSignal signal,
      JsonMapper json) {
    this.leasing = leasing;
    this.describer = describer;
    this.workers = workers;
    this.keys = keys;
    this.signal = signal;
    this.json = json;
  }

  /**
   * Leases jobs and writes them; jobs whose worker disconnected are given back.
   *
   * @param worker that requests jobs
   * @param request what it can run, and how long to wait
   * @param response to write to
   * @throws Refusal with status 409 if another worker of that name is running
   * @throws IOException if the worker has disconnected
   */
  void answer(Caller worker, LeaseRequest request, HttpServletResponse response)
      throws IOException {
    workers.record(worker, request);
    long end = System.nanoTime() + Duration.ofSeconds(request.waitSeconds()).toNanos();
    while (true) {
      long round = signal.round();
      List<Job> leased = lease(worker, request, response);
      Duration remaining = Duration.ofNanos(end - System.nanoTime());
      if (!leased.isEmpty() || !remaining.isPositive() || signal.isEnding()) {
        write(worker, request, leased, response);
        return;
      }
      signal.await(round, remaining.compareTo(QUERY_INTERVAL) < 0 ? remaining : QUERY_INTERVAL);
      // Whitespace before JSON means nothing, but writing it fails once the client has
      // disconnected: no job is then leased to it.
      writeBlank(response);
    }
  }

  private List<Job> lease(Caller worker, LeaseRequest request, HttpServletResponse response) {
    try {
      Set<JobType> types = types(worker, request);
      return types.isEmpty() ? List.of() : leasing.lease(worker, request, types);
    } catch (RuntimeException e) {
      if (!response.isCommitted()) {
        throw e;
      }
      // The response has begun, so it cannot become a problem detail; the next request will be one.
      LOG.error("worker {} waits for jobs, but the query for them failed", request.worker(), e);
      return List.of();
    }
  }

  private Set<JobType> types(Caller worker, LeaseRequest request) {
    Set<JobType> types = EnumSet.noneOf(JobType.class);
    types.addAll(request.types());
    if (types.contains(JobType.VERIFY) && keyState(worker, request) != WorkerKey.State.APPROVED) {
      types.remove(JobType.VERIFY);
    }
    return types;
  }

  /** Any text may be sent as a key; one that is not a fingerprint has no state. */
  private WorkerKey.@Nullable State keyState(Caller worker, LeaseRequest request) {
    try {
      return keys.stateOf(Sha256.parse(request.key()), worker.account()).orElse(null);
    } catch (IllegalArgumentException _) {
      return null;
    }
  }

  private void write(
      Caller worker, LeaseRequest request, List<Job> leased, HttpServletResponse response)
      throws IOException {
    try {
      byte[] leases =
          json.writeValueAsBytes(new Leases(describer.describe(leased), keyState(worker, request)));
      if (response.isCommitted()) {
        writeBlank(response);
      }
      response.setContentType(MediaType.APPLICATION_JSON_VALUE);
      response.getOutputStream().write(leases);
      response.flushBuffer();
    } catch (IOException | RuntimeException e) {
      if (!leased.isEmpty()) {
        leasing.giveBack(
            leased, "worker " + request.worker() + " disconnected before it received the lease");
      }
      throw e;
    }
  }

  private static void writeBlank(HttpServletResponse response) throws IOException {
    response.setContentType(MediaType.APPLICATION_JSON_VALUE);
    response.getOutputStream().write(' ');
    response.flushBuffer();
  }
}

package dev.nola.registry.jobs;

import dev.nola.api.attestation.Nonce;
import dev.nola.api.job.Heartbeat;
import dev.nola.api.job.HeartbeatAnswer;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobFailure;
import dev.nola.api.job.JobType;
import dev.nola.api.job.Lease;
import dev.nola.api.job.LeaseRequest;
import dev.nola.api.job.Leases;
import dev.nola.api.job.ObjectDetails;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Caller;
import dev.nola.registry.blobs.BlobResponses;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.keys.WorkerKeys;
import dev.nola.registry.objects.ObjectRepository;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.parameters.RequestBody;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.io.Resource;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.databind.json.JsonMapper;

/** Endpoints for workers: lease jobs, send heartbeats, checkpoints, results and failures. */
@RestController
@RequestMapping("/api/v1/jobs")
@Tag(name = "Workers")
class WorkerController {
  private static final Logger LOG = LoggerFactory.getLogger(WorkerController.class);
  private static final String LATE =
      " 409 lease-lost after the lease has ended; 409 cancelled after a request to cancel the job.";

  private static final int MAX_LEASES = 100;
  private static final int MAX_WAIT = 30;
  private static final int MAX_LISTED = 1_000;
  private static final int MAX_NAME = 100;
  private static final int MAX_LINES = 200;
  private static final int MAX_LINE = 2_000;
  private static final int MAX_METRICS = 1_000;
  private static final int MAX_METRIC_NAME = 100;

  /** Between two looks for jobs that other replicas queued, or whose time has come. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  private final JobRepository jobs;
  private final LeaseService leasing;
  private final JobResults results;
  private final ObjectRepository objects;
  private final WorkerKeys keys;
  private final QueueSignal waiting;
  private final BlobStore blobs;
  private final JobSettings settings;
  private final JsonMapper json;

  /** Takes more than six beans: it serves all calls of a worker, from lease to result. */
  WorkerController(
      JobRepository jobs,
      LeaseService leasing,
      JobResults results,
      ObjectRepository objects,
      WorkerKeys keys,
      QueueSignal waiting,
      BlobStore blobs,
      JobSettings settings,
      JsonMapper json) {
    this.jobs = jobs;
    this.leasing = leasing;
    this.results = results;
    this.objects = objects;
    this.keys = keys;
    this.waiting = waiting;
    this.blobs = blobs;
    this.settings = settings;
    this.json = json;
  }

  @PostMapping("/lease")
  @Operation(
      summary = "Lease jobs",
      description =
          "Jobs that the worker can run, by priority, then oldest first. Waits if there is none."
              + " Verifications are leased only to workers whose key is approved.",
      responses =
          @ApiResponse(
              responseCode = "200",
              content =
                  @Content(
                      mediaType = MediaType.APPLICATION_JSON_VALUE,
                      schema = @Schema(implementation = Leases.class))))
  void lease(
      @org.springframework.web.bind.annotation.RequestBody LeaseRequest request,
      @Parameter(hidden = true) HttpServletResponse response,
      Caller caller)
      throws IOException {
    require(request);
    long end = System.nanoTime() + Duration.ofSeconds(request.waitSeconds()).toNanos();
    while (true) {
      long round = waiting.round();
      List<Job> leased = take(request, response, caller);
      Duration left = Duration.ofNanos(end - System.nanoTime());
      if (!leased.isEmpty() || !left.isPositive() || waiting.isEnding()) {
        answer(request, leased, response);
        return;
      }
      waiting.await(round, left.compareTo(LOOK) < 0 ? left : LOOK);
      // Whitespace before JSON means nothing, but writing it fails once the client has
      // disconnected:
      // no job is then leased to it.
      blank(response);
    }
  }

  private List<Job> take(LeaseRequest request, HttpServletResponse response, Caller caller) {
    try {
      Set<JobType> types = types(request, caller);
      return types.isEmpty() ? List.of() : leasing.lease(caller, request, types);
    } catch (RuntimeException e) {
      if (!response.isCommitted()) {
        throw e;
      }
      // The response has begun, so it cannot become a problem detail; the next request will be one.
      LOG.error("worker {} waits for jobs, but the query for them failed", request.worker(), e);
      return List.of();
    }
  }

  private void answer(LeaseRequest request, List<Job> leased, HttpServletResponse response)
      throws IOException {
    try {
      byte[] leases = json.writeValueAsBytes(show(leased));
      if (response.isCommitted()) {
        blank(response);
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

  private static void blank(HttpServletResponse response) throws IOException {
    response.setContentType(MediaType.APPLICATION_JSON_VALUE);
    response.getOutputStream().write(' ');
    response.flushBuffer();
  }

  @PostMapping("/{id}/heartbeat")
  @Operation(
      summary = "Renew a lease and report progress",
      description = "409 lease-lost after the lease has ended.")
  HeartbeatAnswer heartbeat(
      @PathVariable UUID id,
      @org.springframework.web.bind.annotation.RequestBody Heartbeat report,
      Caller caller) {
    require(report);
    return leasing.heartbeat(caller, id, report);
  }

  @PutMapping("/{id}/checkpoint")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  @Operation(
      summary = "Upload a checkpoint, which replaces the last one",
      description = "Another worker continues from it if this one is lost." + LATE,
      requestBody =
          @RequestBody(
              required = true,
              content =
                  @Content(
                      mediaType = MediaType.APPLICATION_OCTET_STREAM_VALUE,
                      schema = @Schema(type = "string", format = "binary"))))
  void putCheckpoint(
      @PathVariable UUID id,
      @RequestParam long fence,
      @Parameter(hidden = true) HttpServletRequest request,
      Caller caller)
      throws IOException {
    results.checkpoint(caller, id, fence, request.getContentLengthLong(), request.getInputStream());
  }

  @GetMapping("/{id}/checkpoint")
  @Operation(
      summary = "Download the last checkpoint of a job",
      description = "409 lease-lost after the lease has ended.",
      responses =
          @ApiResponse(
              responseCode = "200",
              content =
                  @Content(
                      mediaType = MediaType.APPLICATION_OCTET_STREAM_VALUE,
                      schema = @Schema(type = "string", format = "binary"))))
  ResponseEntity<Resource> getCheckpoint(
      @PathVariable UUID id, @RequestParam long fence, Caller caller) throws IOException {
    String checkpoint = leasing.requireLeased(caller, id, fence, "checkpoint").checkpoint();
    if (checkpoint == null) {
      throw Refusal.notFound("checkpoint of job " + id);
    }
    return BlobResponses.of(blobs, Sha256.parse(checkpoint), "private, no-cache");
  }

  @PutMapping("/{id}/result")
  @Operation(
      summary = "End a job with its result",
      description =
          "The adapter file of a training, which is published in the name of the account that"
              + " submitted the job, or the archive of an export. If the adapter cannot be published,"
              + " the job fails with the reason, and the result is kept."
              + LATE,
      requestBody =
          @RequestBody(
              required = true,
              content =
                  @Content(
                      mediaType = MediaType.APPLICATION_OCTET_STREAM_VALUE,
                      schema = @Schema(type = "string", format = "binary"))))
  JobDetails putResult(
      @PathVariable UUID id,
      @RequestParam long fence,
      @Parameter(hidden = true) HttpServletRequest request,
      Caller caller)
      throws IOException {
    return results.receive(
        caller, id, fence, request.getContentLengthLong(), request.getInputStream());
  }

  @PostMapping("/{id}/failure")
  @Operation(
      summary = "Report that a job failed or was stopped",
      description =
          "The job is queued again if it is retryable and has an attempt left; otherwise it fails."
              + " 409 lease-lost after the lease has ended.")
  JobDetails fail(
      @PathVariable UUID id,
      @org.springframework.web.bind.annotation.RequestBody JobFailure failure,
      Caller caller) {
    leasing.fail(caller, id, failure);
    return jobs.find(id).orElseThrow().details();
  }

  private Set<JobType> types(LeaseRequest request, Caller caller) {
    Set<JobType> types = EnumSet.noneOf(JobType.class);
    types.addAll(request.types());
    if (types.contains(JobType.VERIFY) && !keys.isApproved(request.key(), caller.account())) {
      types.remove(JobType.VERIFY);
    }
    return types;
  }

  private Leases show(List<Job> leased) {
    Map<Long, ObjectDetails> named = objects.byId(objectsOf(leased));
    SmallFiles files = new SmallFiles(blobs);
    return new Leases(
        leased.stream()
            .map(
                job ->
                    new Lease(
                        job.details(),
                        java.util.Objects.requireNonNull(job.fence()),
                        java.util.Objects.requireNonNull(job.expiresAt()),
                        settings.heartbeatSeconds(job.type()),
                        job.digest() == null ? null : Sha256.parse(job.digest()),
                        job.nonce() == null ? null : new Nonce(job.nonce()),
                        job.type() == JobType.VERIFY ? files.once(job.digest()) : null,
                        job.modelId() == null ? null : named.get(job.modelId()),
                        job.datasetId() == null ? null : named.get(job.datasetId()),
                        job.checkpoint() != null,
                        job.memoryBytes(),
                        job.timeoutSeconds()))
            .toList());
  }

  private static Collection<Long> objectsOf(List<Job> leased) {
    return leased.stream()
        .flatMap(job -> Stream.of(job.modelId(), job.datasetId()))
        .filter(java.util.Objects::nonNull)
        .collect(Collectors.toSet());
  }

  private static void require(LeaseRequest request) {
    requireRange("max", request.max(), 1, MAX_LEASES);
    requireRange("waitSeconds", request.waitSeconds(), 0, MAX_WAIT);
    requireRange("worker", request.worker().length(), 1, MAX_NAME);
    requireRange("key", request.key().length(), 0, MAX_NAME);
    requireRange("backends", request.backends().size(), 0, MAX_LISTED);
    requireRange("models", request.models().size(), 0, MAX_LISTED);
  }

  private static void require(Heartbeat report) {
    requireRange("log", report.log().size(), 0, MAX_LINES);
    for (String line : report.log()) {
      requireRange("log", line.length(), 0, MAX_LINE);
    }
    requireRange("metrics", report.metrics().size(), 0, MAX_METRICS);
    for (Heartbeat.Metric metric : report.metrics()) {
      requireRange("metrics.name", metric.name().length(), 1, MAX_METRIC_NAME);
    }
  }

  /** Of a number, a length or a count. */
  private static void requireRange(String field, int value, int min, int max) {
    if (value < min || value > max) {
      throw Refusal.invalid(field, "%s: %d, must be %d to %d".formatted(field, value, min, max));
    }
  }
}

package dev.nola.registry.jobs;

import dev.nola.api.job.Heartbeat;
import dev.nola.api.job.HeartbeatAnswer;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobFailure;
import dev.nola.api.job.LeaseRequest;
import dev.nola.api.job.Leases;
import dev.nola.registry.access.Caller;
import dev.nola.registry.blobs.BlobReader;
import dev.nola.registry.blobs.BlobResponses;
import dev.nola.registry.web.BinaryBody;
import dev.nola.registry.web.BinaryResponse;
import dev.nola.registry.web.MaxBody;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.UUID;
import org.springframework.core.io.Resource;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints for workers: lease jobs, send heartbeats, checkpoints, results and failures. */
@RestController
@RequestMapping("/api/v1/jobs")
@Tag(name = "Workers")
class WorkerController {
  private static final String LATE =
      " 409 lease-lost after the lease has ended; 409 cancelled after a request to cancel the job.";

  private final LeasePoll poll;
  private final LeaseService leasing;
  private final JobResults results;
  private final BlobReader blobs;

  WorkerController(LeasePoll poll, LeaseService leasing, JobResults results, BlobReader blobs) {
    this.poll = poll;
    this.leasing = leasing;
    this.results = results;
    this.blobs = blobs;
  }

  @PostMapping("/lease")
  @Operation(
      summary = "Lease jobs",
      description =
          "Jobs that the worker can run, by priority, then oldest first. Waits while the queue is empty."
              + " Verifications are leased only to workers whose key is approved; keyState says"
              + " whether it is. 409 worker-name-in-use"
              + " if another instance of a worker of that name is running, worker-ended if this"
              + " instance has signed off.",
      responses =
          @ApiResponse(
              responseCode = "200",
              content =
                  @Content(
                      mediaType = MediaType.APPLICATION_JSON_VALUE,
                      schema = @Schema(implementation = Leases.class))))
  void lease(
      @RequestBody LeaseRequest request,
      @Parameter(hidden = true) HttpServletResponse response,
      Caller caller)
      throws IOException {
    WorkerRequestRules.require(request);
    poll.answer(caller, request, response);
  }

  @PostMapping("/{id}/heartbeat")
  @Operation(
      summary = "Renew a lease and report progress",
      description = "409 lease-lost after the lease has ended.")
  @MaxBody(megabytes = 4)
  HeartbeatAnswer heartbeat(@PathVariable UUID id, @RequestBody Heartbeat report, Caller caller) {
    WorkerRequestRules.require(report);
    return leasing.heartbeat(caller, id, report);
  }

  @PutMapping("/{id}/checkpoint")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  @Operation(
      summary = "Upload a checkpoint, which replaces the last one",
      description = "Another worker continues from it if this one is lost." + LATE)
  @BinaryBody
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
      description = "409 lease-lost after the lease has ended.")
  @BinaryResponse
  ResponseEntity<Resource> getCheckpoint(
      @PathVariable UUID id, @RequestParam long fence, Caller caller) throws IOException {
    return BlobResponses.of(blobs, results.checkpointOf(caller, id, fence), "private, no-cache");
  }

  @PutMapping("/{id}/result")
  @Operation(
      summary = "End a job with its result",
      description =
          "The adapter file of a training, which is published in the name of the account that"
              + " submitted the job, or the archive of an export. If the adapter cannot be published,"
              + " the job fails with the reason, and the result is kept."
              + LATE)
  @BinaryBody
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
  JobDetails fail(@PathVariable UUID id, @RequestBody JobFailure failure, Caller caller) {
    return leasing.fail(caller, id, failure);
  }
}

package dev.nola.registry.jobs;

import dev.nola.api.Page;
import dev.nola.api.job.JobChange;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobRetry;
import dev.nola.api.job.JobType;
import dev.nola.registry.access.Caller;
import dev.nola.registry.blobs.BlobReader;
import dev.nola.registry.blobs.BlobResponses;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.signing.ModelSigner;
import dev.nola.registry.web.BinaryResponse;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.io.IOException;
import java.net.URI;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springdoc.core.annotations.ParameterObject;
import org.springframework.core.io.Resource;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PatchMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

/** Endpoints to submit, read, follow and cancel jobs. */
@RestController
@RequestMapping("/api/v1/jobs")
@Tag(name = "Jobs")
class JobController {
  private final JobService jobs;
  private final JobEventStream stream;
  private final BlobReader blobs;
  private final ModelSigner signer;

  JobController(JobService jobs, JobEventStream stream, BlobReader blobs, ModelSigner signer) {
    this.jobs = jobs;
    this.stream = stream;
    this.blobs = blobs;
    this.signer = signer;
  }

  @PostMapping
  @Operation(
      summary = "Submit a job",
      description =
          "References are pinned to the versions and revisions that they name now. 429 if the account"
              + " has too many jobs queued; high priorities are for admins. For members of the"
              + " adapter's namespace.",
      responses =
          @ApiResponse(responseCode = "201", description = "Queued", useReturnTypeSchema = true))
  ResponseEntity<JobDetails> submit(@RequestBody JobRequest request, Caller caller) {
    JobDetails job = jobs.submit(caller, request);
    return ResponseEntity.created(URI.create("/api/v1/jobs/" + job.id())).body(job);
  }

  @GetMapping
  @Operation(
      summary = "List jobs, latest first",
      description =
          "Jobs of the namespaces where the caller is a member; workers and admins see all jobs.")
  ResponseEntity<Page<JobDetails>> list(
      @ParameterObject JobQuery.Filter filter,
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller) {
    return jobs.list(caller, filter, limit, cursor);
  }

  @GetMapping("/{id}")
  @Operation(
      summary = "Read a job",
      description =
          "While it is queued, waiting says why no worker has taken it. For members of its namespace,"
              + " workers and admins.")
  JobDetails get(@PathVariable UUID id, Caller caller) {
    return jobs.get(caller, id);
  }

  @PatchMapping("/{id}")
  @Operation(
      summary = "Change the priority of a queued job",
      description = "High priorities are for admins. For members of its namespace.")
  JobDetails change(@PathVariable UUID id, @RequestBody JobChange change, Caller caller) {
    return jobs.changePriority(caller, id, change.priority());
  }

  @PostMapping("/{id}/cancel")
  @Operation(
      summary = "Cancel a job",
      description =
          "A queued job ends at once. The worker of a running job learns of it with its next"
              + " heartbeat; its result is no longer accepted. For members of its namespace.")
  JobDetails cancel(@PathVariable UUID id, Caller caller) {
    return jobs.cancel(caller, id);
  }

  @PostMapping("/{id}/retry")
  @Operation(
      summary = "Retry a job that failed or was cancelled",
      description =
          "If the result of a training could not be published, it is published now in the caller's"
              + " name, without training again; any other job is queued again. For members of its"
              + " namespace.")
  JobDetails retry(
      @PathVariable UUID id, @RequestBody(required = false) @Nullable JobRetry retry, Caller caller)
      throws IOException {
    return jobs.retry(caller, id, retry);
  }

  @GetMapping("/{id}/result")
  @Operation(
      summary = "Download an exported archive, or an adapter that could not be published",
      description = "For members of the job's namespace, workers and admins.")
  @BinaryResponse
  ResponseEntity<Resource> result(@PathVariable UUID id, Caller caller) throws IOException {
    return BlobResponses.of(blobs, jobs.resultFile(caller, id), "private, no-cache");
  }

  @GetMapping("/{id}/result/signature")
  @Operation(
      summary = "Download the signature of an exported archive",
      description =
          "As that of a version's file. For members of the job's namespace, workers and admins.",
      responses =
          @ApiResponse(
              responseCode = "200",
              content =
                  @Content(mediaType = ModelSigner.MEDIA_TYPE, schema = @Schema(type = "object"))))
  ResponseEntity<byte[]> signature(@PathVariable UUID id, Caller caller) {
    Job job = jobs.see(caller, id);
    if (job.type() != JobType.EXPORT) {
      throw Refusal.notFound("exported archive of job " + id);
    }
    String archive =
        new AdapterName(job.details().namespace(), job.adapter()) + "@" + job.version() + ".zip";
    return ResponseEntity.ok()
        .header(HttpHeaders.CONTENT_TYPE, ModelSigner.MEDIA_TYPE)
        .header(HttpHeaders.CACHE_CONTROL, "private, no-cache")
        .body(signer.signFile(archive, job.resultFile()));
  }

  @GetMapping("/{id}/events")
  @Operation(
      summary = "Follow a job",
      description =
          "Server-sent events, whose data are JobEvents: all events from the beginning, or those after"
              + " Last-Event-ID, then new ones as they happen; the stream ends after the job's end. While"
              + " the job is queued, events of kind waiting say why, each time the reasons change; they"
              + " have the id of the event before them and are not repeated later."
              + " For members of its namespace, workers and admins.",
      responses =
          @ApiResponse(
              responseCode = "200",
              content =
                  @Content(
                      mediaType = MediaType.TEXT_EVENT_STREAM_VALUE,
                      schema = @Schema(type = "string"))))
  ResponseEntity<SseEmitter> follow(
      @PathVariable UUID id,
      @Parameter(description = "false ends the stream after the events so far")
          @RequestParam(defaultValue = "true")
          boolean follow,
      @RequestHeader(name = "Last-Event-ID", required = false) @Nullable Long lastEventId,
      Caller caller) {
    jobs.see(caller, id);
    return stream.open(caller, id, lastEventId, follow);
  }
}

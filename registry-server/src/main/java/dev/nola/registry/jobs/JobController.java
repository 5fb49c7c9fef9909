package dev.nola.registry.jobs;

import dev.nola.api.Page;
import dev.nola.api.job.JobChange;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobEvent;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobResult;
import dev.nola.api.job.JobRetry;
import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.web.Cursor;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PatchMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.databind.json.JsonMapper;

/** Jobs, for those who ask for them. */
@RestController
@RequestMapping("/api/v1/jobs")
@Tag(name = "Jobs")
class JobController {
  private static final String LIST = "jobs";
  private static final int EVENTS_AT_ONCE = 500;

  /** Between two looks for new events. */
  private static final Duration LOOK = Duration.ofMillis(300);

  /** After which an idle stream is written to, so that nobody on the way cuts it. */
  private static final Duration KEEP_ALIVE = Duration.ofSeconds(10);

  private final Submission submission;
  private final Jobs jobs;
  private final JobEvents events;
  private final Results results;
  private final Waiting waiting;
  private final BlobStore blobs;
  private final Access access;
  private final AuditLog audit;
  private final JsonMapper json;

  JobController(
      Submission submission,
      Jobs jobs,
      JobEvents events,
      Results results,
      Waiting waiting,
      BlobStore blobs,
      Access access,
      AuditLog audit,
      JsonMapper json) {
    this.submission = submission;
    this.jobs = jobs;
    this.events = events;
    this.results = results;
    this.waiting = waiting;
    this.blobs = blobs;
    this.access = access;
    this.audit = audit;
    this.json = json;
  }

  @PostMapping
  @Transactional
  @Operation(
      summary = "Ask for a job",
      description =
          "References are pinned to what they mean now. For members of the adapter's namespace.",
      responses =
          @ApiResponse(responseCode = "201", description = "Queued", useReturnTypeSchema = true))
  ResponseEntity<JobDetails> submit(@RequestBody JobRequest request, Caller caller) {
    UUID id = submission.submit(caller, request);
    JobDetails job = jobs.find(id).orElseThrow().details();
    note(caller, "job.submit", job, job.type().name().toLowerCase());
    return ResponseEntity.created(URI.create("/api/v1/jobs/" + id)).body(job);
  }

  @GetMapping
  @Operation(
      summary = "List jobs, latest first",
      description = "Of the namespaces where the caller is a member; workers and admins see all.")
  ResponseEntity<Page<JobDetails>> list(
      @RequestParam(required = false) @Nullable JobState state,
      @RequestParam(required = false) @Nullable JobType type,
      @RequestParam(required = false) @Nullable String namespace,
      @Parameter(description = "namespace/name") @RequestParam(required = false)
          @Nullable String adapter,
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller) {
    String name = null;
    String owner = namespace;
    if (adapter != null) {
      int slash = adapter.indexOf('/');
      if (slash < 0) {
        throw Refusal.invalid("adapter", "adapter=" + adapter + ", must be namespace/name");
      }
      name = adapter.substring(slash + 1);
      if (owner != null && !owner.equals(adapter.substring(0, slash))) {
        throw Refusal.invalid(
            "adapter", "adapter=%s, is not in namespace=%s".formatted(adapter, owner));
      }
      owner = adapter.substring(0, slash);
    }
    long before = cursor == null ? Long.MAX_VALUE : Cursor.parse(cursor, LIST, 1).number(0);
    return Pages.of(
        jobs.list(
            new Jobs.Query(
                caller.readsAll() ? null : access.namespacesOf(caller),
                state,
                type,
                owner,
                name,
                before,
                Pages.fetch(limit))),
        limit,
        last -> new Cursor(LIST, List.of(Long.toString(last.position()))),
        Job::details);
  }

  @GetMapping("/{id}")
  @Operation(summary = "Read a job", description = "For members of its namespace, workers, admins.")
  JobDetails get(@PathVariable UUID id, Caller caller) {
    return see(caller, id).details();
  }

  @PatchMapping("/{id}")
  @Transactional
  @Operation(
      summary = "Change the priority of a job that waits",
      description = "For members of its namespace.")
  JobDetails change(@PathVariable UUID id, @RequestBody JobChange change, Caller caller) {
    Job job = requireMember(caller, id);
    Submission.requirePriority(change.priority());
    jobs.changePriority(id, change.priority());
    note(caller, "job.priority", job.details(), Integer.toString(change.priority()));
    return jobs.find(id).orElseThrow().details();
  }

  @PostMapping("/{id}/cancel")
  @Transactional
  @Operation(
      summary = "Cancel a job",
      description =
          "One that waits ends at once; a worker that has it is told with its next heartbeat, and"
              + " its result is refused from now on. For members of its namespace.")
  JobDetails cancel(@PathVariable UUID id, Caller caller) {
    Job job = requireMember(caller, id);
    jobs.cancel(id, "cancelled by " + caller.account());
    note(caller, "job.cancel", job.details(), "");
    return jobs.find(id).orElseThrow().details();
  }

  @PostMapping("/{id}/retry")
  @Operation(
      summary = "Try a job again that failed or was cancelled",
      description =
          "A training whose result could not be published is published now, in the caller's name and"
              + " without training again; every other job waits anew. For members of its namespace.")
  JobDetails retry(
      @PathVariable UUID id, @RequestBody(required = false) @Nullable JobRetry retry, Caller caller)
      throws IOException {
    Job job = requireMember(caller, id);
    Jobs.requireRetryable(job);
    JobRequest request = job.details().request();
    String version = retry == null || retry.version() == null ? job.version() : retry.version();
    boolean kept = job.details().result() != null;
    if (!(request.work() instanceof JobRequest.Train train)) {
      if (!version.equals(job.version())) {
        throw Refusal.invalid("version", "version=" + version + ", is for trainings only");
      }
    } else if (!kept || !version.equals(job.version())) {
      request = new JobRequest(request.priority(), submission.withVersion(caller, train, version));
    }
    if (kept) {
      results.publishKept(caller, job, request, version);
    } else {
      jobs.queueAgain(id, request, version, "again, asked for by " + caller.account());
    }
    note(caller, "job.retry", job.details(), version);
    return jobs.find(id).orElseThrow().details();
  }

  @GetMapping("/{id}/result")
  @Operation(
      summary = "Download an exported archive, or an adapter that could not be published",
      description = "For members of the job's namespace, workers and admins.",
      responses =
          @ApiResponse(
              responseCode = "200",
              content =
                  @Content(
                      mediaType = MediaType.APPLICATION_OCTET_STREAM_VALUE,
                      schema = @Schema(type = "string", format = "binary"))))
  void result(
      @PathVariable UUID id, @Parameter(hidden = true) HttpServletResponse response, Caller caller)
      throws IOException {
    Job job = see(caller, id);
    JobResult result = job.details().result();
    boolean published = job.type() == JobType.TRAIN && job.state() == JobState.SUCCEEDED;
    if (result == null || result.digest() == null || published) {
      throw Refusal.notFound("result of the job " + id);
    }
    send(blobs, result.digest().toString(), response);
  }

  /** Sends a blob that is known to be referred to. */
  static void send(BlobStore blobs, String digest, HttpServletResponse response)
      throws IOException {
    BlobStore.Blob blob =
        blobs
            .find(Sha256.parse(digest))
            .orElseThrow(() -> new IOException("the blob " + digest + " is not in the store"));
    response.setContentType(MediaType.APPLICATION_OCTET_STREAM_VALUE);
    response.setContentLengthLong(blob.size());
    response.setHeader(HttpHeaders.ETAG, '"' + digest + '"');
    response.setHeader(HttpHeaders.CACHE_CONTROL, "private, no-cache");
    try (InputStream bytes = blob.open(0, blob.size())) {
      bytes.transferTo(response.getOutputStream());
    }
  }

  @GetMapping("/{id}/events")
  @Operation(
      summary = "Follow a job",
      description =
          "Server-sent events: everything from the beginning, or behind Last-Event-ID, and then what"
              + " happens; the stream ends after the job's end. For members of its namespace, workers"
              + " and admins.",
      responses =
          @ApiResponse(
              responseCode = "200",
              content =
                  @Content(
                      mediaType = MediaType.TEXT_EVENT_STREAM_VALUE,
                      schema = @Schema(implementation = JobEvent.class))))
  void follow(
      @PathVariable UUID id,
      @RequestHeader(name = "Last-Event-ID", required = false) @Nullable Long lastEventId,
      @Parameter(hidden = true) HttpServletResponse response,
      Caller caller)
      throws IOException {
    see(caller, id);
    response.setContentType(MediaType.TEXT_EVENT_STREAM_VALUE);
    response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
    response.setHeader("X-Accel-Buffering", "no"); // nginx would hold events back
    OutputStream out = response.getOutputStream();
    response.flushBuffer();
    long last = lastEventId == null ? 0 : lastEventId;
    long written = System.nanoTime();
    while (!waiting.isEnding()) {
      // In this order: an end that is seen has its event among those that are read next.
      boolean ended = jobs.find(id).map(Job::state).filter(JobState::isEnd).isPresent();
      List<JobEvent> found = events.after(id, last, EVENTS_AT_ONCE);
      for (JobEvent event : found) {
        out.write(format(event).getBytes(StandardCharsets.UTF_8));
        last = event.id();
      }
      if (found.isEmpty() && ended) {
        return;
      }
      if (found.isEmpty() && System.nanoTime() - written > KEEP_ALIVE.toNanos()) {
        out.write(":\n\n".getBytes(StandardCharsets.UTF_8));
      } else if (found.isEmpty()) {
        waiting.pause(LOOK);
        continue;
      }
      out.flush();
      written = System.nanoTime();
    }
  }

  private String format(JobEvent event) {
    return "id: %d\nevent: %s\ndata: %s\n\n"
        .formatted(event.id(), event.event().name().toLowerCase(), json.writeValueAsString(event));
  }

  private Job see(Caller caller, UUID id) {
    return jobs.find(id)
        .filter(job -> access.seesPrivate(caller, job.details().namespace()))
        .orElseThrow(() -> Refusal.notFound("job " + id));
  }

  private Job requireMember(Caller caller, UUID id) {
    Job job = see(caller, id);
    String namespace = job.details().namespace();
    if (access.role(caller, namespace).isEmpty()) {
      throw Refusal.forbidden("only members of the namespace " + namespace + " may do this");
    }
    return job;
  }

  private void note(Caller caller, String action, JobDetails job, String detail) {
    audit.add(caller.account(), caller.tokenId(), action, "job " + job.id(), detail);
  }
}

package dev.nola.registry.pages;

import dev.nola.api.Page;
import dev.nola.api.Scope;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.blobs.BlobReader;
import dev.nola.registry.blobs.BlobResponses;
import dev.nola.registry.jobs.JobEventStream;
import dev.nola.registry.jobs.JobQuery;
import dev.nola.registry.jobs.JobService;
import dev.nola.text.Label;
import io.swagger.v3.oas.annotations.Hidden;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.Resource;
import org.springframework.http.ContentDisposition;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Controller;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

/** Pages of jobs: the queue with its history, and each job with its events as they happen. */
@Controller
@Hidden
class JobPageController {
  private static final int ROWS = 20;

  private final JobService jobs;
  private final JobEventStream stream;
  private final BlobReader blobs;
  private final Access access;

  JobPageController(JobService jobs, JobEventStream stream, BlobReader blobs, Access access) {
    this.jobs = jobs;
    this.stream = stream;
    this.blobs = blobs;
    this.access = access;
  }

  @GetMapping("/jobs")
  String list(
      @RequestParam(required = false) @Nullable JobState state,
      @RequestParam(required = false) @Nullable JobType type,
      @RequestParam(required = false) @Nullable String namespace,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller,
      Model model) {
    String named = namespace == null || namespace.isBlank() ? null : namespace.strip();
    Page<JobDetails> page =
        Objects.requireNonNull(
            jobs.list(caller, new JobQuery.Filter(state, type, named, null), ROWS, cursor)
                .getBody());
    List<JobView> views = page.items().stream().map(job -> JobView.of(job, false)).toList();
    JobAddress address =
        new JobAddress(
            state == null ? null : Label.of(state), type == null ? null : Label.of(type), named);
    model.addAttribute("jobs", views);
    model.addAttribute("filter", address);
    model.addAttribute("states", Stream.of(JobState.values()).map(Label::of).toList());
    model.addAttribute("types", Stream.of(JobType.values()).map(Label::of).toList());
    model.addAttribute("here", address.page(cursor));
    model.addAttribute("next", page.next() == null ? null : address.page(page.next()));
    model.addAttribute("later", cursor != null);
    model.addAttribute("live", views.stream().anyMatch(JobView::live));
    return "jobs";
  }

  @GetMapping("/jobs/{id}")
  String show(@PathVariable UUID id, Caller caller, Model model) {
    JobDetails job = jobs.get(caller, id);
    model.addAttribute("job", JobView.of(job, mayChange(caller, job)));
    return "job";
  }

  @GetMapping("/jobs/{id}/events")
  ResponseEntity<SseEmitter> follow(
      @PathVariable UUID id,
      @RequestHeader(name = "Last-Event-ID", required = false) @Nullable Long lastEventId,
      Caller caller) {
    jobs.get(caller, id);
    return stream.open(caller, id, lastEventId, true);
  }

  @GetMapping("/jobs/{id}/result")
  ResponseEntity<Resource> result(@PathVariable UUID id, Caller caller) throws IOException {
    JobView job = JobView.of(jobs.get(caller, id), false);
    ResponseEntity<Resource> file =
        BlobResponses.of(blobs, jobs.resultFile(caller, id), "private, no-cache");
    String extension = job.details().type() == JobType.EXPORT ? ".zip" : ".nola";
    return ResponseEntity.ok()
        .headers(file.getHeaders())
        .header(
            HttpHeaders.CONTENT_DISPOSITION,
            ContentDisposition.attachment()
                .filename(job.name() + "-" + job.version() + extension)
                .build()
                .toString())
        .body(file.getBody());
  }

  @PostMapping("/jobs/{id}/cancel")
  String cancel(@PathVariable UUID id, Caller caller) {
    jobs.cancel(caller, id);
    return "redirect:/jobs/" + id;
  }

  @PostMapping("/jobs/{id}/retry")
  String retry(@PathVariable UUID id, Caller caller) throws IOException {
    jobs.retry(caller, id, null);
    return "redirect:/jobs/" + id;
  }

  /** Returns whether to offer changes; the services and the scopes of paths decide. */
  private boolean mayChange(Caller caller, JobDetails job) {
    return caller.may(Scope.PUBLISH) && access.isMember(caller, job.namespace());
  }
}

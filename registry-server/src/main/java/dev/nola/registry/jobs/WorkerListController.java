package dev.nola.registry.jobs;

import dev.nola.api.Page;
import dev.nola.api.job.WorkerDetails;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Pages;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints to list workers, with what each of them offers, and for a worker to sign off. */
@RestController
@Tag(name = "Workers")
class WorkerListController {
  private final WorkerRepository workers;
  private final WorkerReader reader;

  WorkerListController(WorkerRepository workers, WorkerReader reader) {
    this.workers = workers;
    this.reader = reader;
  }

  @GetMapping("/api/v1/workers")
  @Operation(
      summary = "List workers by account and name, with what they offer",
      description =
          "Those that asked for jobs within the last day. Models and jobs are shown of the namespaces"
              + " where the caller is a member; workers and admins see all. keyState says whether"
              + " the worker gets verifications.")
  ResponseEntity<Page<WorkerDetails>> list(
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller) {
    return reader.list(caller, limit, cursor);
  }

  @DeleteMapping("/api/v1/workers")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  @Operation(
      summary = "Say that a worker of the caller's account has ended",
      description =
          "For a worker that is stopped: it is listed as ended, and its name is free at once. Does"
              + " nothing if another instance has the name.")
  void end(@RequestParam String worker, @RequestParam String instance, Caller caller) {
    workers.end(caller.account(), worker, instance);
  }
}

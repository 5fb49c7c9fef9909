package dev.nola.registry.pages;

import dev.nola.api.Page;
import dev.nola.api.job.WorkerDetails;
import dev.nola.registry.access.Caller;
import dev.nola.registry.jobs.WorkerReader;
import io.swagger.v3.oas.annotations.Hidden;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Controller;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;

/** Page of workers: what each of them offers and does. */
@Controller
@Hidden
class WorkerPageController {
  private static final int ROWS = 50;

  private final WorkerReader workers;

  WorkerPageController(WorkerReader workers) {
    this.workers = workers;
  }

  @GetMapping("/workers")
  String list(@RequestParam(required = false) @Nullable String cursor, Caller caller, Model model) {
    Page<WorkerDetails> page = Objects.requireNonNull(workers.list(caller, ROWS, cursor).getBody());
    model.addAttribute("workers", page.items());
    model.addAttribute("next", page.next());
    model.addAttribute("cursor", cursor);
    return "workers";
  }
}

package dev.nola.registry.pages;

import dev.nola.api.attestation.VerificationRequest;
import dev.nola.registry.access.Caller;
import dev.nola.registry.verification.VerificationRunRepository;
import dev.nola.registry.verification.VerificationRunService;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Hidden;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Controller;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;

/** Pages of verification runs, for admins. */
@Controller
@Hidden
class VerificationPageController {
  private static final int ROWS = 50;

  private final VerificationRunService runs;
  private final VerificationRunRepository reports;

  VerificationPageController(VerificationRunService runs, VerificationRunRepository reports) {
    this.runs = runs;
    this.reports = reports;
  }

  @GetMapping("/admin/verifications")
  String list(Model model) {
    model.addAttribute("runs", reports.latest(ROWS).stream().map(RunView::of).toList());
    return "admin-verifications";
  }

  @PostMapping("/admin/verifications")
  String start(
      @RequestParam(defaultValue = "") String namespace,
      @RequestParam(defaultValue = "") String base,
      @RequestParam(defaultValue = "") String generator,
      @RequestParam(defaultValue = "") String adapter,
      @RequestParam(defaultValue = "") String version,
      @RequestParam(defaultValue = "") String backends,
      Caller caller) {
    List<String> named = Stream.of(backends.split("[,\\s]+")).filter(s -> !s.isEmpty()).toList();
    UUID id =
        runs.start(
            caller,
            new VerificationRequest(
                filled(namespace),
                filled(base),
                filled(generator),
                named.isEmpty() ? null : named,
                null,
                filled(adapter),
                filled(version)));
    return "redirect:/admin/verifications/" + id;
  }

  @GetMapping("/admin/verifications/{id}")
  String report(@PathVariable UUID id, Model model) {
    model.addAttribute(
        "report", reports.report(id).orElseThrow(() -> Refusal.notFound("verification " + id)));
    return "admin-verification";
  }

  private static @Nullable String filled(String field) {
    return field.isBlank() ? null : field.strip();
  }

  /**
   * A run as the list shows it.
   *
   * @param run as it is stored
   * @param subject which versions it verifies
   */
  public record RunView(VerificationRunRepository.Run run, String subject) {
    static RunView of(VerificationRunRepository.Run run) {
      VerificationRequest request = run.request();
      String subject =
          Stream.of(
                  named("namespace", request.namespace()),
                  named("base", request.base()),
                  named("generator", request.generator()),
                  named("adapter", request.adapter()),
                  named("version", request.version()))
              .filter(text -> !text.isEmpty())
              .reduce((one, other) -> one + ", " + other)
              .orElse("all versions");
      return new RunView(run, subject);
    }

    private static String named(String name, @Nullable String value) {
      return value == null ? "" : name + " " + value;
    }
  }
}

package dev.nola.registry.verification;

import dev.nola.api.attestation.VerificationReport;
import dev.nola.api.attestation.VerificationRequest;
import dev.nola.api.name.NameRule;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.net.URI;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/api/v1/verifications")
@Tag(name = "Verification")
class VerificationController {
  private final VerificationRunService runs;
  private final VerificationRunRepository reports;
  private final VerificationSettings settings;

  VerificationController(
      VerificationRunService runs,
      VerificationRunRepository reports,
      VerificationSettings settings) {
    this.runs = runs;
    this.reports = reports;
    this.settings = settings;
  }

  @PostMapping
  @Operation(
      operationId = "campaignStart",
      summary = "Request the verification of all or some versions",
      description =
          "Versions are verified again even if they have attestations; deleted ones are skipped."
              + " Location has the report. For admins.")
  ResponseEntity<VerificationReport> start(
      @RequestBody VerificationRequest request, Caller caller) {
    List<String> backends = request.backends() == null ? settings.backends() : request.backends();
    int copies = request.copies() == null ? settings.copies() : request.copies();
    requireLegal(backends, copies);
    UUID id = runs.start(caller, request, backends, copies);
    return ResponseEntity.accepted()
        .location(URI.create("/api/v1/verifications/" + id))
        .body(reports.report(id).orElseThrow());
  }

  @GetMapping("/{id}")
  @Operation(
      operationId = "campaignGet",
      summary = "Read the report of a verification request",
      description = "For admins.")
  VerificationReport get(@PathVariable UUID id) {
    return reports.report(id).orElseThrow(() -> Refusal.notFound("verification " + id));
  }

  private static void requireLegal(List<String> backends, int copies) {
    if (backends.isEmpty() || new HashSet<>(backends).size() < backends.size()) {
      throw Refusal.invalid(
          "backends", "backends=" + backends + ", must name at least one backend, each once");
    }
    for (String backend : backends) {
      if (!NameRule.BACKEND.isMet(backend)) {
        throw Refusal.invalid("backends", NameRule.BACKEND.message(backend));
      }
    }
    if (copies < 1 || copies > VerificationSettings.MAX_COPIES) {
      throw Refusal.invalid(
          "copies",
          "copies=%d, must be 1 to %d".formatted(copies, VerificationSettings.MAX_COPIES));
    }
  }
}

package dev.nola.registry.verification;

import dev.nola.api.attestation.Statement;
import dev.nola.api.attestation.VerificationReport;
import dev.nola.api.attestation.VerificationRequest;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.catalog.Versions;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.net.URI;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.springframework.http.ResponseEntity;
import org.springframework.transaction.annotation.Transactional;
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
  private static final int PAGE = 1_000;

  /** After what was published meanwhile. */
  private static final int PRIORITY = -1;

  private final VerificationRunRepository runs;
  private final VerificationRequests requests;
  private final Versions versions;
  private final VerificationSettings settings;
  private final AuditLog audit;

  VerificationController(
      VerificationRunRepository runs,
      VerificationRequests requests,
      Versions versions,
      VerificationSettings settings,
      AuditLog audit) {
    this.runs = runs;
    this.requests = requests;
    this.versions = versions;
    this.settings = settings;
    this.audit = audit;
  }

  @PostMapping
  @Transactional
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
    UUID id = UUID.randomUUID();
    runs.add(id, request, caller.account());
    Versions.Filter filter =
        new Versions.Filter(request.namespace(), request.base(), request.generator());
    Set<String> seen = new HashSet<>();
    long found = 0;
    List<Versions.Version> page = versions.find(filter, 0, PAGE);
    while (!page.isEmpty()) {
      found += page.size();
      List<Versions.Version> fresh =
          page.stream().filter(version -> seen.add(version.digest())).toList();
      runs.addJobs(id, requests.request(fresh, backends, copies, PRIORITY));
      page = versions.find(filter, page.getLast().id(), PAGE);
    }
    runs.found(id, found);
    audit.add(
        caller.account(),
        caller.tokenId(),
        "verification.start",
        id.toString(),
        "%d versions by %s, %d copies".formatted(found, backends, copies));
    return ResponseEntity.accepted()
        .location(URI.create("/api/v1/verifications/" + id))
        .body(runs.report(id).orElseThrow());
  }

  @GetMapping("/{id}")
  @Operation(
      operationId = "campaignGet",
      summary = "Read the report of a verification request",
      description = "For admins.")
  VerificationReport get(@PathVariable UUID id) {
    return runs.report(id).orElseThrow(() -> Refusal.notFound("verification " + id));
  }

  private static void requireLegal(List<String> backends, int copies) {
    if (backends.isEmpty() || new HashSet<>(backends).size() < backends.size()) {
      throw Refusal.invalid(
          "backends", "backends=" + backends + ", must name at least one backend, each once");
    }
    for (String backend : backends) {
      if (!Statement.BACKENDS.contains(backend)) {
        throw Refusal.invalid(
            "backends", "backend=" + backend + ", must be scalar, vector or torch");
      }
    }
    if (copies < 1 || copies > VerificationSettings.MAX_COPIES) {
      throw Refusal.invalid(
          "copies",
          "copies=%d, must be 1 to %d".formatted(copies, VerificationSettings.MAX_COPIES));
    }
  }
}

package dev.nola.registry.verification;

import dev.nola.api.attestation.VerificationReport;
import dev.nola.api.attestation.VerificationRequest;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.net.URI;
import java.util.UUID;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints to request verifications and read their reports. */
@RestController
@RequestMapping("/api/v1/verifications")
@Tag(name = "Verification")
class VerificationController {
  private final VerificationRunService runs;
  private final VerificationRunRepository reports;

  VerificationController(VerificationRunService runs, VerificationRunRepository reports) {
    this.runs = runs;
    this.reports = reports;
  }

  @PostMapping
  @Operation(
      operationId = "campaignStart",
      summary = "Request the verification of all or some versions",
      description =
          "Versions are verified again even if they have attestations; deleted ones are skipped. 404"
              + " if adapter and version name none."
              + " Location has the report. For admins.",
      responses =
          @ApiResponse(responseCode = "202", description = "Requested", useReturnTypeSchema = true))
  ResponseEntity<VerificationReport> start(
      @RequestBody VerificationRequest request, Caller caller) {
    UUID id = runs.start(caller, request);
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
}

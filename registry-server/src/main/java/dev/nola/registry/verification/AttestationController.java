package dev.nola.registry.verification;

import dev.nola.api.Page;
import dev.nola.api.attestation.Attestation;
import dev.nola.api.attestation.AttestationReport;
import dev.nola.api.attestation.CopiedAttestations;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.web.MaxBody;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
@Tag(name = "Verification")
class AttestationController {
  private static final int MAX_ITEMS = 100;

  private final AttestationReceiver receiver;
  private final AttestationCopies copies;
  private final AttestationReader attestations;

  AttestationController(
      AttestationReceiver receiver, AttestationCopies copies, AttestationReader attestations) {
    this.receiver = receiver;
    this.copies = copies;
    this.attestations = attestations;
  }

  @PostMapping("/api/v1/attestations")
  @Operation(
      summary = "Report the outcome of verifications",
      description =
          "Each item is checked on its own. The job of a refused item is queued again for a worker"
              + " with another key; the response has the reason, which is also counted and in the audit"
              + " log. For workers.")
  @MaxBody(megabytes = 64)
  AttestationReport.Answer report(@RequestBody AttestationReport report, Caller caller)
      throws IOException {
    List<AttestationReport.Item> items = report.items();
    if (items.isEmpty() || items.size() > MAX_ITEMS) {
      throw Refusal.invalid(
          "items", "items has %d entries; must have 1 to %d".formatted(items.size(), MAX_ITEMS));
    }
    if (items.stream().anyMatch(item -> item.job() == null)) {
      throw Refusal.invalid("items", "job is missing in an item");
    }
    if (items.stream().map(AttestationReport.Item::job).distinct().count() < items.size()) {
      throw Refusal.invalid("items", "job occurs in more than one item");
    }
    return receiver.receive(caller, items);
  }

  @PostMapping("/api/v1/adapters/{namespace}/{name}/versions/{version}/attestations")
  @Operation(
      summary = "Add attestations that workers made for another registry",
      description =
          "Each is checked on its own, by its signature and by reconstructing the file: only matches are"
              + " accepted, and only of files within the registry's budget. A key that is new is"
              + " registered for the caller's account; its attestations are refused until an admin has"
              + " approved it. An attestation that is already there is accepted again. For members of the"
              + " namespace.")
  @MaxBody(megabytes = 64)
  CopiedAttestations.CopyAnswer add(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      @RequestBody CopiedAttestations copied,
      Caller caller)
      throws IOException {
    return copies.receive(caller, new AdapterName(namespace, name), version, copied.attestations());
  }

  @GetMapping("/api/v1/adapters/{namespace}/{name}/versions/{version}/attestations")
  @Operation(
      summary = "List the attestations of a version's file, oldest first",
      description =
          "Includes attestations by revoked keys, which no longer count. If the registry does not"
              + " reconstruct the file itself, only those that workers have confirmed for each other.")
  ResponseEntity<Page<Attestation>> list(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller) {
    return attestations.list(caller, new AdapterName(namespace, name), version, limit, cursor);
  }
}

package dev.nola.registry.verification;

import dev.nola.api.attestation.VerificationReport;
import dev.nola.api.attestation.VerificationRequest;
import dev.nola.api.name.NameRule;
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
class CampaignController {
  private static final int PAGE = 1_000;

  /** After what was published meanwhile. */
  private static final int PRIORITY = -1;

  private final Campaigns campaigns;
  private final Rounds rounds;
  private final Versions versions;
  private final VerificationSettings settings;
  private final AuditLog audit;

  CampaignController(
      Campaigns campaigns,
      Rounds rounds,
      Versions versions,
      VerificationSettings settings,
      AuditLog audit) {
    this.campaigns = campaigns;
    this.rounds = rounds;
    this.versions = versions;
    this.settings = settings;
    this.audit = audit;
  }

  @PostMapping
  @Transactional
  @Operation(
      summary = "Have versions verified, all or some",
      description =
          "Whatever is attested of them already; deleted ones are left out. Follow Location for the"
              + " report. For admins.")
  ResponseEntity<VerificationReport> start(
      @RequestBody VerificationRequest request, Caller caller) {
    List<String> backends = request.backends() == null ? settings.backends() : request.backends();
    int copies = request.copies() == null ? settings.copies() : request.copies();
    requireLegal(backends, copies);
    UUID id = UUID.randomUUID();
    campaigns.add(id, request, caller.account());
    Versions.Filter filter =
        new Versions.Filter(request.namespace(), request.base(), request.generator());
    Set<String> seen = new HashSet<>();
    long found = 0;
    List<Versions.Version> page = versions.find(filter, 0, PAGE);
    while (!page.isEmpty()) {
      found += page.size();
      List<Versions.Version> fresh =
          page.stream().filter(version -> seen.add(version.digest())).toList();
      campaigns.addJobs(id, rounds.ask(fresh, backends, copies, PRIORITY));
      page = versions.find(filter, page.getLast().id(), PAGE);
    }
    campaigns.found(id, found);
    audit.add(
        caller.account(),
        caller.tokenId(),
        "verification.start",
        id.toString(),
        "%d versions by %s, %d copies".formatted(found, backends, copies));
    return ResponseEntity.accepted()
        .location(URI.create("/api/v1/verifications/" + id))
        .body(campaigns.report(id).orElseThrow());
  }

  @GetMapping("/{id}")
  @Operation(
      summary = "Read what came of verifications that were asked for together",
      description = "For admins.")
  VerificationReport get(@PathVariable UUID id) {
    return campaigns.report(id).orElseThrow(() -> Refusal.notFound("verification " + id));
  }

  private static void requireLegal(List<String> backends, int copies) {
    if (backends.isEmpty() || new HashSet<>(backends).size() < backends.size()) {
      throw Refusal.invalid(
          "backends", "backends=" + backends + ", must name at least one, and none twice");
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

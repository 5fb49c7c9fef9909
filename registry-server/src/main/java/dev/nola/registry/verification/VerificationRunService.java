package dev.nola.registry.verification;

import dev.nola.api.attestation.VerificationRequest;
import dev.nola.api.name.NameRule;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.catalog.Versions;
import dev.nola.registry.web.Refusal;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/** Starts verification runs: the verification of all versions that match a request. */
@Component
public class VerificationRunService {
  private static final int PAGE = 1_000;

  /** Lower than the priority of versions published meanwhile. */
  private static final int PRIORITY = -1;

  private final VerificationRunRepository runs;
  private final VerificationRequests requests;
  private final Versions versions;
  private final AuditLog audit;
  private final VerificationSettings settings;

  VerificationRunService(
      VerificationRunRepository runs,
      VerificationRequests requests,
      Versions versions,
      AuditLog audit,
      VerificationSettings settings) {
    this.runs = runs;
    this.requests = requests;
    this.versions = versions;
    this.audit = audit;
    this.settings = settings;
  }

  /**
   * Requests the verification of all versions that match.
   *
   * @param caller of the request
   * @param request which versions, backends and copies; the settings' by default
   * @return id of the run
   * @throws Refusal with status 422 if a condition, the backends or copies break a rule; with 404
   *     if the adapter or version does not exist
   */
  @Transactional
  public UUID start(Caller caller, VerificationRequest request) {
    List<String> backends = request.backends() == null ? settings.backends() : request.backends();
    int copies = request.copies() == null ? settings.copies() : request.copies();
    requireLegal(backends, copies);
    Versions.Filter filter =
        new Versions.Filter(
            request.namespace(),
            request.base(),
            request.generator(),
            request.adapter(),
            request.version());
    filter.requireLegal();
    UUID id = UUID.randomUUID();
    runs.add(id, request, caller.account());
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
    if (found == 0 && request.adapter() != null) {
      throw Refusal.notFound(
          request.version() == null
              ? "adapter " + request.adapter()
              : "version %s of %s".formatted(request.version(), request.adapter()));
    }
    runs.found(id, found);
    audit.add(
        caller.account(),
        caller.tokenId(),
        "verification.start",
        id.toString(),
        "%d versions by %s, %d copies".formatted(found, backends, copies));
    return id;
  }

  private static void requireLegal(List<String> backends, int copies) {
    if (backends.isEmpty() || new HashSet<>(backends).size() < backends.size()) {
      throw Refusal.invalid(
          "backends",
          "invalid backends: " + backends + "; must name at least one backend, each once");
    }
    for (String backend : backends) {
      if (!NameRule.BACKEND.isMet(backend)) {
        throw Refusal.invalid("backends", NameRule.BACKEND.message(backend));
      }
    }
    if (copies < 1 || copies > VerificationSettings.MAX_COPIES) {
      throw Refusal.invalid(
          "copies",
          "invalid copies: %d; must be 1 to %d".formatted(copies, VerificationSettings.MAX_COPIES));
    }
  }
}

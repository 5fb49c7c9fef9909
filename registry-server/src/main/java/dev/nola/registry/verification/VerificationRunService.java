package dev.nola.registry.verification;

import dev.nola.api.attestation.VerificationRequest;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.catalog.Versions;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/** Starts verification runs: the verification of all versions that match a request. */
@Component
class VerificationRunService {
  private static final int PAGE = 1_000;

  /** Lower than that of versions published meanwhile. */
  private static final int PRIORITY = -1;

  private final VerificationRunRepository runs;
  private final VerificationRequests requests;
  private final Versions versions;
  private final AuditLog audit;

  VerificationRunService(
      VerificationRunRepository runs,
      VerificationRequests requests,
      Versions versions,
      AuditLog audit) {
    this.runs = runs;
    this.requests = requests;
    this.versions = versions;
    this.audit = audit;
  }

  /**
   * Requests the verification of all versions that match.
   *
   * @param caller who asks
   * @param request which versions
   * @param backends to reconstruct them with
   * @param copies for each file and backend
   * @return id of the run
   */
  @Transactional
  UUID start(Caller caller, VerificationRequest request, List<String> backends, int copies) {
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
    return id;
  }
}

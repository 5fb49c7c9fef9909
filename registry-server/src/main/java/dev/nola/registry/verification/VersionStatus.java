package dev.nola.registry.verification;

import dev.nola.api.Verification;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.catalog.Versions;
import dev.nola.registry.keys.WorkerKeyRepository;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Collection;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Updates the verification status of versions from the attestations of their files. */
@Component
class VersionStatus {
  private static final Logger LOG = LoggerFactory.getLogger(VersionStatus.class);
  private static final String REGISTRY = "registry"; // account in the audit log

  private final AttestationStore attestations;
  private final Versions versions;
  private final AuditLog audit;
  private final MeterRegistry meters;

  VersionStatus(
      AttestationStore attestations, Versions versions, AuditLog audit, MeterRegistry meters) {
    this.attestations = attestations;
    this.versions = versions;
    this.audit = audit;
    this.meters = meters;
    meters.counter("nola.versions.mismatched"); // there from the start, so that it can be watched
  }

  /**
   * Updates all versions that have these files.
   *
   * @param digests of files whose attestations changed, locked by {@link Versions#lock}
   */
  @Transactional(propagation = Propagation.MANDATORY)
  void renew(Collection<String> digests) {
    if (digests.isEmpty()) {
      return;
    }
    for (Versions.Change change : versions.attest(attestations.summaries(digests))) {
      note(change);
    }
  }

  /** Withdraws all attestations that the key signed. */
  @EventListener
  @Transactional(propagation = Propagation.MANDATORY)
  void keyRevoked(WorkerKeyRepository.Revoked revoked) {
    List<String> digests = attestations.attestedBy(revoked.fingerprint());
    versions.lock(digests);
    renew(digests); // attestations that the key confirmed are of the same files
  }

  private void note(Versions.Change change) {
    String what = change.version().toString();
    if (change.now() == Verification.MISMATCHED) {
      LOG.error(
          "MISMATCH: a trusted worker's reconstruction of {} ({}) differs from the digest in its file",
          what,
          change.version().digest());
      meters.counter("nola.versions.mismatched").increment();
      audit.add(REGISTRY, null, "version.mismatch", what, change.version().digest());
    } else if (change.version().verification() == Verification.MISMATCHED) {
      LOG.warn("{} is no longer mismatched: all attestations against it were withdrawn", what);
      audit.add(REGISTRY, null, "version.mismatch-withdrawn", what, change.version().digest());
    }
  }
}

package dev.nola.registry.verification;

import dev.nola.api.Verification;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.catalog.Versions;
import dev.nola.registry.keys.WorkerKeys;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Collection;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Makes versions what the attestations that count say of their files. */
@Component
class VersionStatus {
  private static final Logger LOG = LoggerFactory.getLogger(VersionStatus.class);
  private static final String REGISTRY = "registry"; // whose doing it is, in the audit log

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

  /** After attestations of these files have come or gone, which are locked. */
  @Transactional(propagation = Propagation.MANDATORY)
  void renew(Collection<String> digests) {
    if (digests.isEmpty()) {
      return;
    }
    for (Versions.Change change : versions.attest(attestations.standing(digests))) {
      note(change);
    }
  }

  /** Everything that the key signed no longer counts. */
  @EventListener
  @Transactional(propagation = Propagation.MANDATORY)
  void keyRevoked(WorkerKeys.Revoked revoked) {
    List<String> digests = attestations.attestedBy(revoked.fingerprint());
    versions.lock(digests);
    renew(digests); // those whose proof it confirmed are of the same files
  }

  private void note(Versions.Change change) {
    String what = change.version().toString();
    if (change.now() == Verification.MISMATCHED) {
      LOG.error(
          "MISMATCH: a trusted worker reconstructed {} ({}) to other bits than its file names",
          what,
          change.version().digest());
      meters.counter("nola.versions.mismatched").increment();
      audit.add(REGISTRY, null, "version.mismatch", what, change.version().digest());
    } else if (change.version().verification() == Verification.MISMATCHED) {
      LOG.warn("{} is no longer mismatched: no attestation against it counts any more", what);
      audit.add(REGISTRY, null, "version.mismatch-withdrawn", what, change.version().digest());
    }
  }
}

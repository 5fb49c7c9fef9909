package dev.nola.registry.verification;

import dev.nola.api.Verification;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.catalog.Versions;
import dev.nola.registry.keys.WorkerKeyRepository;
import dev.nola.text.Label;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Collection;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.event.ApplicationReadyEvent;
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
    // There from the start, so that they can be watched.
    meters.counter("nola.versions.mismatched");
    meters.counter("nola.versions.disputes");
    Gauge.builder("nola.versions.disputed", versions, Versions::countDisputed)
        .description("Versions that a worker attests other bits of, unconfirmed")
        .register(meters);
  }

  /**
   * Updates all versions that have these files.
   *
   * @param digests of files whose attestations changed, locked by {@link Versions#lock}
   * @return versions whose status this changes
   */
  @Transactional(propagation = Propagation.MANDATORY)
  List<Versions.Change> renew(Collection<String> digests) {
    if (digests.isEmpty()) {
      return List.of();
    }
    List<Versions.Change> changes = versions.attest(attestations.evidence(digests));
    changes.forEach(this::note);
    return changes;
  }

  /** Derives again what earlier releases, in which one attestation sufficed, called mismatched. */
  @EventListener(ApplicationReadyEvent.class)
  @Transactional
  void deriveMismatched() {
    List<String> digests = versions.mismatchedDigests();
    versions.lock(digests);
    renew(digests);
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
    String digest = change.version().digest();
    boolean was = change.version().verification() == Verification.MISMATCHED;
    boolean is = change.now() == Verification.MISMATCHED;
    if (is && !was) {
      LOG.error(
          "MISMATCH: independent workers' reconstructions of {} ({}) agree and differ from the digest"
              + " in its file",
          what,
          digest);
      meters.counter("nola.versions.mismatched").increment();
      audit.add(REGISTRY, null, "version.mismatch", what, digest);
    } else if (was && !is) {
      LOG.warn("{} is no longer mismatched: attestations against it were withdrawn", what);
      audit.add(REGISTRY, null, "version.mismatch-withdrawn", what, digest);
    }
    if (change.beginsDispute()) {
      LOG.error(
          "DISPUTE: a worker with an approved key attests other bits of {} ({}), unconfirmed; the"
              + " version stays {}. Verify it yourself: if the bits are right, revoke the key",
          what,
          digest,
          Label.of(change.now()));
      meters.counter("nola.versions.disputes").increment();
      audit.add(REGISTRY, null, "version.dispute", what, digest);
    } else if (change.version().disputed() && !change.disputed()) {
      LOG.warn("{} is no longer disputed; it is {}", what, Label.of(change.now()));
      audit.add(REGISTRY, null, "version.dispute-end", what, Label.of(change.now()));
    }
  }
}

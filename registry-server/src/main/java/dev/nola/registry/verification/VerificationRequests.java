package dev.nola.registry.verification;

import dev.nola.api.attestation.Nonce;
import dev.nola.digest.Sha256;
import dev.nola.registry.catalog.VersionDeleted;
import dev.nola.registry.catalog.VersionPublished;
import dev.nola.registry.catalog.Versions;
import dev.nola.registry.jobs.VerificationJobs;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/**
 * Requests the verification of versions by workers: of each that is published, and of those that an
 * admin selects.
 */
@Component
@EnableConfigurationProperties(VerificationSettings.class)
class VerificationRequests {
  /** Minimum number of attestations that confirm each other where the registry cannot. */
  private static final int PAIR = 2;

  private final VerificationJobs jobs;
  private final Versions versions;
  private final AttestationStore attestations;
  private final VersionStatus status;
  private final VerificationSettings settings;

  VerificationRequests(
      VerificationJobs jobs,
      Versions versions,
      AttestationStore attestations,
      VersionStatus status,
      VerificationSettings settings) {
    this.jobs = jobs;
    this.versions = versions;
    this.attestations = attestations;
    this.status = status;
    this.settings = settings;
  }

  @EventListener
  @Transactional(propagation = Propagation.MANDATORY)
  void published(VersionPublished version) {
    // The same file may have been published before, and attested.
    versions.lock(List.of(version.digest()));
    status.renew(List.of(version.digest()));
    Map<String, Integer> attested = attestations.keysByBackend(version.digest());
    List<VerificationJobs.Verification> verifications = new ArrayList<>();
    for (String backend : settings.backends()) {
      int missing = settings.copies() - attested.getOrDefault(backend, 0);
      if (missing > 0) {
        verifications.addAll(
            copies(
                new File(
                    version.adapter().namespace(),
                    version.adapter().name(),
                    version.version(),
                    Sha256.parse(version.digest()),
                    version.selfVerified()),
                backend,
                missing,
                0));
      }
    }
    jobs.submitVerifications(verifications);
  }

  @EventListener
  @Transactional(propagation = Propagation.MANDATORY)
  void deleted(VersionDeleted version) {
    jobs.cancelVerifications(
        version.adapter().namespace(),
        version.adapter().name(),
        version.version(),
        "the version was deleted");
  }

  /**
   * Queues verifications of versions, even if they have attestations.
   *
   * @param priority of the jobs
   * @return the jobs
   */
  @Transactional(propagation = Propagation.MANDATORY)
  List<UUID> request(List<Versions.Version> all, List<String> backends, int copies, int priority) {
    List<VerificationJobs.Verification> verifications = new ArrayList<>();
    for (Versions.Version version : all) {
      File file =
          new File(
              version.adapter().namespace(),
              version.adapter().name(),
              version.version(),
              Sha256.parse(version.digest()),
              version.selfVerified());
      for (String backend : backends) {
        verifications.addAll(copies(file, backend, copies, priority));
      }
    }
    return jobs.submitVerifications(verifications);
  }

  /**
   * Asks other machines about a file that a worker began to dispute: on each backend that disputes
   * it, workers whose keys do not.
   *
   * @param versions that became disputed
   */
  @Transactional(propagation = Propagation.MANDATORY)
  void disputed(List<Versions.Version> versions) {
    Set<String> seen = new HashSet<>();
    for (Versions.Version version : versions) {
      if (!seen.add(version.digest())) {
        continue; // asked about already
      }
      attestations
          .disputingKeys(version.digest())
          .forEach(
              (backend, keys) ->
                  jobs.excludeKeys(request(List.of(version), List.of(backend), 1, 0), keys));
    }
  }

  private record File(
      String namespace, String adapter, String version, Sha256 digest, boolean selfVerified) {}

  /**
   * Gives each worker its own nonce for files that the registry reconstructs itself. Above its
   * budget the workers get one nonce, and their proofs are compared.
   */
  private List<VerificationJobs.Verification> copies(
      File file, String backend, int copies, int priority) {
    int count = file.selfVerified() ? copies : Math.max(PAIR, copies);
    Nonce shared = Nonce.random();
    List<VerificationJobs.Verification> verifications = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      verifications.add(
          new VerificationJobs.Verification(
              file.namespace(),
              file.adapter(),
              file.version(),
              file.digest(),
              backend,
              priority,
              file.selfVerified() ? Nonce.random() : shared));
    }
    return verifications;
  }
}

package dev.nola.registry.verification;

import dev.nola.api.attestation.AttestationReport;
import dev.nola.api.attestation.AttestationReport.Item;
import dev.nola.api.attestation.AttestationReport.Verdict;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.catalog.AdapterExaminer;
import dev.nola.registry.catalog.Versions;
import dev.nola.registry.jobs.VerificationJobs;
import dev.nola.registry.jobs.VerificationJobs.LeasedVerification;
import dev.nola.registry.keys.WorkerKeyRepository;
import dev.nola.registry.verification.AttestationVerifier.Attested;
import dev.nola.registry.verification.AttestationVerifier.Judged;
import dev.nola.registry.verification.AttestationVerifier.Refused;
import dev.nola.registry.verification.AttestationVerifier.Unsupported;
import dev.nola.text.Label;
import dev.nola.text.Printable;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Receives workers' attestations. Files are reconstructed without holding locks; then all changes
 * are recorded at once, in one order of locks: keys, files, adapters, jobs.
 */
@Component
class AttestationReceiver {
  private static final Logger LOG = LoggerFactory.getLogger(AttestationReceiver.class);

  private final VerificationJobs jobs;
  private final WorkerKeyRepository keys;
  private final AdapterExaminer examination;
  private final Versions versions;
  private final AttestationStore attestations;
  private final VersionStatus status;
  private final VerificationRequests requests;
  private final AuditLog audit;
  private final TransactionTemplate transaction;
  private final MeterRegistry meters;

  /**
   * Takes more than six beans: an attestation changes its job, file, versions and the audit log
   * together.
   */
  AttestationReceiver(
      VerificationJobs jobs,
      WorkerKeyRepository keys,
      AdapterExaminer examination,
      Versions versions,
      AttestationStore attestations,
      VersionStatus status,
      VerificationRequests requests,
      AuditLog audit,
      TransactionTemplate transaction,
      MeterRegistry meters) {
    this.jobs = jobs;
    this.keys = keys;
    this.examination = examination;
    this.versions = versions;
    this.attestations = attestations;
    this.status = status;
    this.requests = requests;
    this.audit = audit;
    this.transaction = transaction;
    this.meters = meters;
    meters.counter("nola.attestations.accepted"); // there from the start, so that they can be
    meters.counter("nola.attestations.contradicted"); // watched
  }

  /** An item that was judged. */
  private record Case(Item item, LeasedVerification job, Judged judged, boolean checked) {
    Case with(Judged other, boolean isChecked) {
      return new Case(item, job, other, isChecked);
    }

    VerificationJobs.Verified verified() {
      return switch (judged) {
        case Attested attested ->
            new VerificationJobs.Verified(
                item.job(), item.fence(), Label.of(attested.reconstruction().outcome()), null);
        case Unsupported unsupported ->
            new VerificationJobs.Verified(
                item.job(), item.fence(), "unsupported", unsupported.reason());
        case Refused _ -> throw new IllegalStateException("a refused item finishes nothing");
      };
    }
  }

  /**
   * Judges and records a worker's report.
   *
   * @throws IOException if a file cannot be read; nothing is recorded then
   */
  AttestationReport.Answer receive(Caller caller, List<Item> items) throws IOException {
    Map<UUID, Long> fences = new LinkedHashMap<>();
    items.forEach(item -> fences.put(item.job(), item.fence()));
    Map<UUID, LeasedVerification> leased =
        transaction.execute(_ -> jobs.leasedVerifications(caller.account(), fences));
    List<Case> cases = read(caller, items, Objects.requireNonNull(leased));
    List<Case> judged = check(caller, cases);
    Map<UUID, Verdict> verdicts =
        Objects.requireNonNull(transaction.execute(_ -> record(caller, judged)));
    return new AttestationReport.Answer(
        items.stream()
            .map(item -> verdicts.getOrDefault(item.job(), lost(item)))
            .peek(this::count)
            .toList());
  }

  private List<Case> read(Caller caller, List<Item> items, Map<UUID, LeasedVerification> leased) {
    Map<Sha256, AttestationVerifier.Known> known = new HashMap<>();
    keys.find(
            items.stream()
                .filter(item -> item.envelope() != null)
                .flatMap(
                    item ->
                        AttestationVerifier.keyOf(Objects.requireNonNull(item.envelope())).stream())
                .collect(Collectors.toSet()))
        .forEach((fingerprint, key) -> known.put(fingerprint, AttestationVerifier.Known.of(key)));
    List<Case> cases = new ArrayList<>();
    for (Item item : items) {
      LeasedVerification job = leased.get(item.job());
      if (job != null) {
        cases.add(
            new Case(
                item, job, AttestationVerifier.read(item, job, caller.account(), known), false));
      }
    }
    return cases;
  }

  private List<Case> check(Caller caller, List<Case> cases) throws IOException {
    Map<UUID, Case> checked = new LinkedHashMap<>();
    cases.forEach(entry -> checked.put(entry.item().job(), entry));
    Map<Sha256, List<Case>> byFile =
        cases.stream()
            .filter(entry -> entry.judged() instanceof Attested)
            .collect(Collectors.groupingBy(entry -> entry.job().digest(), Collectors.toList()));
    // One file in memory at a time.
    for (Map.Entry<Sha256, List<Case>> file : byFile.entrySet()) {
      AdapterExaminer.Proven proven =
          examination.prove(
              caller.account(),
              file.getKey(),
              file.getValue().stream()
                  .map(entry -> entry.job().nonce())
                  .collect(Collectors.toSet()));
      for (Case entry : file.getValue()) {
        checked.put(
            entry.item().job(),
            entry.with(
                AttestationVerifier.check((Attested) entry.judged(), proven),
                !proven.proofs().isEmpty()));
      }
    }
    return List.copyOf(checked.values());
  }

  /** Records what was judged; those that the worker no longer has are not in the result. */
  private Map<UUID, Verdict> record(Caller caller, List<Case> judged) {
    List<Case> cases = afterRevocations(caller, judged);
    Set<String> digests =
        cases.stream()
            .filter(entry -> entry.judged() instanceof Attested)
            .map(entry -> entry.job().digest().toString())
            .collect(Collectors.toSet());
    versions.lock(digests);
    jobs.lock(cases.stream().map(entry -> entry.item().job()).toList());
    Set<UUID> finished =
        jobs.finishVerifications(
            caller.account(),
            cases.stream()
                .filter(entry -> !(entry.judged() instanceof Refused))
                .map(Case::verified)
                .toList());
    List<AttestationStore.Received> received = new ArrayList<>();
    Map<UUID, Verdict> verdicts = new HashMap<>();
    for (Case entry : cases) {
      UUID job = entry.item().job();
      switch (entry.judged()) {
        case Refused refused -> {
          if (refuse(caller, entry, refused)) {
            verdicts.put(job, new Verdict(job, false, refused.type(), refused.detail()));
          }
        }
        case Attested attested when finished.contains(job) -> {
          received.add(new AttestationStore.Received(job, attested, entry.checked()));
          verdicts.put(job, new Verdict(job, true, null, null));
        }
        case Unsupported _ when finished.contains(job) ->
            verdicts.put(job, new Verdict(job, true, null, null));
        case Attested _, Unsupported _ -> {} // lost since
      }
    }
    attestations.add(received);
    requests.disputed(
        status
            .renew(received.stream().map(entry -> digestOf(entry.attested())).distinct().toList())
            .stream()
            .filter(Versions.Change::beginsDispute)
            .map(Versions.Change::version)
            .toList());
    note(cases, received);
    return verdicts;
  }

  /** Locks the keys, and refuses attestations whose key was revoked while they were judged. */
  private List<Case> afterRevocations(Caller caller, List<Case> cases) {
    Map<Sha256, WorkerKey> lockedKeys =
        keys.hold(
            cases.stream()
                .filter(entry -> entry.judged() instanceof Attested)
                .map(entry -> ((Attested) entry.judged()).key())
                .collect(Collectors.toSet()));
    return cases.stream()
        .map(
            entry -> {
              if (!(entry.judged() instanceof Attested attested)) {
                return entry;
              }
              Refused refused =
                  AttestationVerifier.refusal(
                      attested.key(),
                      lockedKeys.get(attested.key()),
                      entry.job(),
                      caller.account());
              return refused == null ? entry : entry.with(refused, false);
            })
        .toList();
  }

  private boolean refuse(Caller caller, Case entry, Refused refused) {
    LeasedVerification job = entry.job();
    String reason = refused.type() + ": " + refused.detail();
    if (!jobs.refuseVerification(
        caller.account(), entry.item().job(), entry.item().fence(), reason)) {
      return false;
    }
    LOG.warn(
        "attestation of {} by worker {} of {} refused: {}",
        nameOf(job),
        Printable.line(job.worker()),
        caller.account(),
        reason);
    audit.add(
        caller.account(),
        caller.tokenId(),
        "attestation.refuse",
        nameOf(job),
        "%s by worker %s: %s".formatted(job.backend(), job.worker(), reason));
    return true;
  }

  private void note(List<Case> cases, List<AttestationStore.Received> received) {
    Map<UUID, Case> byJob =
        cases.stream().collect(Collectors.toMap(entry -> entry.item().job(), entry -> entry));
    for (AttestationStore.Received entry : received) {
      Case judged = Objects.requireNonNull(byJob.get(Objects.requireNonNull(entry.job())));
      if (entry.attested().reconstruction().outcome() == Outcome.MISMATCH) {
        LOG.error(
            "worker {} reconstructed different bits of {} with backend {}: {}",
            Printable.line(judged.job().worker()),
            nameOf(judged.job()),
            judged.job().backend(),
            Printable.line(String.valueOf(entry.attested().reconstruction().difference())));
      }
    }
    List<UUID> unchecked =
        received.stream()
            .filter(entry -> !entry.checked())
            .map(entry -> Objects.requireNonNull(entry.job()))
            .toList();
    if (unchecked.isEmpty()) {
      return;
    }
    for (UUID job : attestations.contradicted(unchecked)) {
      LeasedVerification entry = Objects.requireNonNull(byJob.get(job)).job();
      LOG.error(
          "attestations of {} with backend {} contradict each other: one of the workers did not"
              + " reconstruct it",
          nameOf(entry),
          entry.backend());
      meters.counter("nola.attestations.contradicted").increment();
      audit.add(
          "registry",
          null,
          "attestation.contradiction",
          nameOf(entry),
          "%s by worker %s and another".formatted(entry.backend(), entry.worker()));
    }
  }

  private void count(Verdict verdict) {
    if (verdict.accepted()) {
      meters.counter("nola.attestations.accepted").increment();
    } else {
      meters
          .counter("nola.attestations.refused", "type", Objects.requireNonNull(verdict.type()))
          .increment();
    }
  }

  private static Verdict lost(Item item) {
    return new Verdict(
        item.job(),
        false,
        "lease-lost",
        "lease lost: job %s is no longer leased to this worker with fence %d"
            .formatted(item.job(), item.fence()));
  }

  private static String digestOf(Attested attested) {
    return attested.statement().subject().toString();
  }

  private static String nameOf(LeasedVerification job) {
    return job.namespace() + "/" + job.adapter() + "@" + job.version();
  }
}

package dev.nola.registry.verification;

import dev.nola.api.attestation.CopiedAttestations;
import dev.nola.api.attestation.CopiedAttestations.Copy;
import dev.nola.api.attestation.CopiedAttestations.CopyAnswer;
import dev.nola.api.attestation.CopiedAttestations.CopyVerdict;
import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.VerifyingKey;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.catalog.AdapterExaminer;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.Versions;
import dev.nola.registry.keys.WorkerKeyService;
import dev.nola.registry.verification.AttestationVerifier.Attested;
import dev.nola.registry.verification.AttestationVerifier.Judged;
import dev.nola.registry.verification.AttestationVerifier.Refused;
import dev.nola.registry.verification.AttestationVerifier.Unsupported;
import dev.nola.registry.web.Refusal;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Receives attestations that workers made for another registry.
 *
 * <p>Their nonces are not this registry's, so that a worker could have copied a proof that was
 * published there. Therefore only those are accepted that the registry can check itself: matches of
 * files within its budget, by a key that an admin approved here.
 */
@Component
class AttestationCopies {
  private final AdapterExaminer examination;
  private final Access access;
  private final Versions versions;
  private final WorkerKeyService keys;
  private final AttestationStore attestations;
  private final VersionStatus status;
  private final VerificationRequests requests;
  private final AuditLog audit;
  private final TransactionTemplate transaction;

  /**
   * Takes more than six beans: an attestation changes its key, file, versions and the audit log
   * together.
   */
  AttestationCopies(
      AdapterExaminer examination,
      Access access,
      Versions versions,
      WorkerKeyService keys,
      AttestationStore attestations,
      VersionStatus status,
      VerificationRequests requests,
      AuditLog audit,
      TransactionTemplate transaction) {
    this.examination = examination;
    this.access = access;
    this.versions = versions;
    this.keys = keys;
    this.attestations = attestations;
    this.status = status;
    this.requests = requests;
    this.audit = audit;
    this.transaction = transaction;
  }

  /**
   * Checks attestations and keeps those that are accepted; keys that are new are registered for the
   * caller's account, to be approved by an admin.
   *
   * @param caller a member of the namespace
   * @param adapter of the version
   * @param version a reference to the version
   * @param items attestations of its file
   * @return a verdict on each
   * @throws IOException if the file cannot be read
   * @throws Refusal with status 404 if the caller may not see the version, 403 if it may only do
   *     that, 422 if there are too many attestations or none
   */
  CopyAnswer receive(Caller caller, AdapterName adapter, String version, List<Copy> items)
      throws IOException {
    Sha256 digest = Sha256.parse(versions.digestOf(caller, adapter, version));
    access.requireMember(caller, adapter.namespace());
    if (items.isEmpty() || items.size() > CopiedAttestations.MAX_ITEMS) {
      throw Refusal.invalid(
          "attestations",
          "attestations has %d entries; must have 1 to %d"
              .formatted(items.size(), CopiedAttestations.MAX_ITEMS));
    }
    List<Judged> judged = new ArrayList<>();
    Map<Sha256, VerifyingKey> signers = new LinkedHashMap<>();
    for (Copy item : items) {
      Judged read = AttestationVerifier.read(item, digest);
      judged.add(read);
      if (read instanceof Attested attested) {
        signers.put(attested.key(), VerifyingKey.parse(item.publicKey()));
      }
    }
    List<Judged> checked = check(caller, digest, judged);
    String name = adapter + "@" + version;
    return new CopyAnswer(
        Objects.requireNonNull(
            transaction.execute(_ -> record(caller, name, digest, checked, signers))));
  }

  private List<Judged> check(Caller caller, Sha256 digest, List<Judged> judged) throws IOException {
    Set<Nonce> nonces =
        judged.stream()
            .filter(Attested.class::isInstance)
            .map(each -> ((Attested) each).reconstruction().nonce())
            .collect(Collectors.toSet());
    if (nonces.isEmpty()) {
      return judged;
    }
    AdapterExaminer.Proven proven = examination.prove(caller.account(), digest, nonces);
    return judged.stream()
        .map(
            each ->
                each instanceof Attested attested
                    ? proven.proofs().isEmpty()
                        ? new Refused(
                            "not-checkable",
                            "file above the registry's budget: %s; copies are accepted only if the registry can reconstruct the file"
                                .formatted(digest))
                        : AttestationVerifier.check(attested, proven)
                    : each)
        .toList();
  }

  /** Records what was judged, with locks in the order of {@link AttestationReceiver}. */
  private List<CopyVerdict> record(
      Caller caller,
      String name,
      Sha256 digest,
      List<Judged> judged,
      Map<Sha256, VerifyingKey> signers) {
    Set<Sha256> signing =
        judged.stream()
            .filter(Attested.class::isInstance)
            .map(each -> ((Attested) each).key())
            .collect(Collectors.toCollection(TreeSet::new));
    Map<Sha256, WorkerKey> held =
        keys.holdOrRegister(
            caller,
            signing.stream().map(key -> Objects.requireNonNull(signers.get(key))).toList(),
            "copied with an attestation of " + name);
    List<Attested> accepted = new ArrayList<>();
    List<CopyVerdict> verdicts = new ArrayList<>();
    for (Judged each : judged) {
      Refused refused =
          switch (each) {
            case Attested attested ->
                AttestationVerifier.refusal(Objects.requireNonNull(held.get(attested.key())));
            case Refused reason -> reason;
            case Unsupported _ -> throw new IllegalStateException("no copy has a reason");
          };
      if (refused == null) {
        accepted.add((Attested) each);
        verdicts.add(new CopyVerdict(true, null, null));
      } else {
        verdicts.add(new CopyVerdict(false, refused.type(), refused.detail()));
      }
    }
    add(caller, name, digest, accepted);
    return verdicts;
  }

  private void add(Caller caller, String name, Sha256 digest, List<Attested> accepted) {
    List<String> files = List.of(digest.toString());
    versions.lock(files);
    Set<AttestationStore.Checked> kept = attestations.checked(digest);
    List<AttestationStore.Received> added =
        accepted.stream()
            .filter(
                each ->
                    kept.add(
                        new AttestationStore.Checked(
                            each.key(),
                            each.reconstruction().backend(),
                            each.reconstruction().host())))
            .map(each -> new AttestationStore.Received(null, each, true))
            .toList();
    if (added.isEmpty()) {
      return;
    }
    attestations.add(added);
    requests.disputed(
        status.renew(files).stream()
            .filter(Versions.Change::beginsDispute)
            .map(Versions.Change::version)
            .toList());
    audit.add(
        caller.account(),
        caller.tokenId(),
        "attestation.copy",
        name,
        "attestations: " + added.size());
  }
}

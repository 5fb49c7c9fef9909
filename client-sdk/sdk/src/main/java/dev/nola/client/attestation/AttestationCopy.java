package dev.nola.client.attestation;

import dev.nola.api.attestation.Attestation;
import dev.nola.api.attestation.CopiedAttestations;
import dev.nola.api.attestation.CopiedAttestations.Copy;
import dev.nola.api.attestation.CopiedAttestations.CopyVerdict;
import dev.nola.api.attestation.InvalidAttestationException;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Statement;
import dev.nola.api.attestation.VerifyingKey;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.name.Reference;
import dev.nola.client.RegistryException;
import dev.nola.client.registry.NolaClient;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Copies attestations to another registry, signatures unchanged. That registry checks each, and
 * counts it if an admin there approved its key.
 *
 * <p>Only matches are copied: bits that differ cannot be computed again elsewhere. One is enough of
 * those by the same key, backend and host. Keys are read from the registry once in the life of this
 * object.
 */
public final class AttestationCopy {
  private static final String NOT_APPROVED = "key-not-approved";

  private final NolaClient target;
  private final Map<Sha256, WorkerKey.State> keys = new HashMap<>();

  /**
   * @param target the registry to copy to
   */
  public AttestationCopy(NolaClient target) {
    this.target = target;
  }

  /**
   * What came of copying.
   *
   * @param added number of attestations that the registry has now and did not have
   * @param unapproved keys that an admin there has not approved, or whose approval has expired;
   *     theirs were not added
   * @param refused why others were refused, as sentences
   */
  public record Result(int added, SortedSet<Sha256> unapproved, List<String> refused) {}

  /** What an attestation says, as the registry tells attestations apart. */
  private record Claim(Sha256 key, String backend, Sha256 host) {}

  /** An attestation to be copied. */
  private record Candidate(Claim claim, Copy item) {}

  /**
   * Copies the matches among attestations of a version.
   *
   * @param reference of the version in the registry, by number
   * @param attestations with valid signatures and known keys; others are refused
   * @return what came of it
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Result copy(Reference reference, List<SignedEnvelope> attestations)
      throws IOException, InterruptedException {
    SortedSet<Sha256> unapproved = new TreeSet<>();
    List<String> refused = new ArrayList<>();
    List<Candidate> candidates = new ArrayList<>();
    if (!attestations.isEmpty()) {
      Set<Claim> present = present(reference);
      for (SignedEnvelope each : attestations) {
        VerifyingKey key = each.key();
        if (key == null) {
          refused.add("public key missing: " + each.keyId());
          continue;
        }
        try {
          Statement statement = key.open(each.envelope());
          Claim claim = claim(each.keyId(), statement);
          if (statement.reconstruction().outcome() == Outcome.MATCH && present.add(claim)) {
            candidates.add(new Candidate(claim, new Copy(each.envelope(), key.toBase64())));
          }
        } catch (InvalidAttestationException e) {
          refused.add("attestation by key %s: %s".formatted(each.keyId(), e.getMessage()));
        }
      }
    }
    List<Candidate> sent = new ArrayList<>();
    for (Candidate candidate : candidates) {
      switch (state(candidate.claim.key)) {
        case APPROVED -> sent.add(candidate);
        case PENDING, EXPIRED -> unapproved.add(candidate.claim.key);
        case REVOKED -> {} // which its admin did on purpose
      }
    }
    int added = 0;
    for (int start = 0; start < sent.size(); start += CopiedAttestations.MAX_ITEMS) {
      List<Candidate> part =
          sent.subList(start, Math.min(sent.size(), start + CopiedAttestations.MAX_ITEMS));
      List<CopyVerdict> verdicts =
          target
              .adapters()
              .addAttestations(
                  reference, new CopiedAttestations(part.stream().map(Candidate::item).toList()));
      for (int i = 0; i < part.size(); i++) {
        CopyVerdict verdict = verdicts.get(i);
        Sha256 key = part.get(i).claim.key;
        if (verdict.accepted()) {
          added++;
        } else if (NOT_APPROVED.equals(verdict.type())) {
          keys.put(key, WorkerKey.State.PENDING);
          unapproved.add(key);
        } else {
          refused.add("attestation by key %s: %s".formatted(key, verdict.detail()));
        }
      }
    }
    return new Result(added, unapproved, List.copyOf(refused));
  }

  /**
   * Returns what the registry has; what it sends is used only to leave out what it would ignore.
   */
  private Set<Claim> present(Reference reference) throws IOException, InterruptedException {
    Set<Claim> present = new HashSet<>();
    for (Attestation each : RegistryAttestations.list(target, reference)) {
      try {
        present.add(
            claim(
                each.key(),
                Statement.parse(Base64.getDecoder().decode(each.envelope().payload()))));
      } catch (InvalidAttestationException | IllegalArgumentException e) {
        throw RegistryException.broken(
            "invalid attestation from %s: %d of %s; %s"
                .formatted(target.registry(), each.id(), reference, e.getMessage()));
      }
    }
    return present;
  }

  private static Claim claim(Sha256 key, Statement statement) {
    return new Claim(key, statement.reconstruction().backend(), statement.reconstruction().host());
  }

  /** Returns the state of a key in the registry; one that is not known may be sent. */
  private WorkerKey.State state(Sha256 key) throws IOException, InterruptedException {
    WorkerKey.State known = keys.get(key);
    if (known == null) {
      known =
          RegistryAttestations.key(target, key)
              .map(WorkerKey::state)
              .orElse(WorkerKey.State.APPROVED);
      keys.put(key, known);
    }
    return known;
  }
}

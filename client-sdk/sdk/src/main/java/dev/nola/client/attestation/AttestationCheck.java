package dev.nola.client.attestation;

import dev.nola.api.attestation.Attestation;
import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.InvalidAttestationException;
import dev.nola.api.attestation.InvalidAttestationException.Reason;
import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Proof;
import dev.nola.api.attestation.Statement;
import dev.nola.api.attestation.VerifyingKey;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.client.attestation.Attested.Holding;
import dev.nola.client.attestation.Attested.Rejected;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.format.LimitExceededException;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Reconstructor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Checks each attestation of a file, and then the proofs of all by one reconstruction. */
final class AttestationCheck {
  private final Sha256 digest;
  private final AdapterFile file;
  private final Set<Sha256> pinned;
  private final List<Rejected> rejected = new ArrayList<>();
  private final Map<Candidate, Statement> read = new LinkedHashMap<>();

  /** An attestation under its number in messages. */
  private record Candidate(long id, Sha256 key, Envelope envelope) {}

  /**
   * @param digest of the file
   * @param pinned fingerprints of the keys that count; if empty, those that the registry trusts
   */
  AttestationCheck(Sha256 digest, AdapterFile file, Collection<Sha256> pinned) {
    this.digest = digest;
    this.file = file;
    this.pinned = Set.copyOf(pinned);
  }

  /**
   * Checks an attestation of a Nola registry.
   *
   * @param key its key in the registry; null if the registry does not know it
   */
  void add(Attestation attestation, @Nullable WorkerKey key) {
    Candidate candidate =
        new Candidate(attestation.id(), attestation.key(), attestation.envelope());
    if (!isGiven(candidate)) {
      return;
    }
    if (key == null) {
      reject(candidate, "the registry does not know the key", true);
    } else if (isTrusted(candidate, key)) {
      read(candidate, key.publicKey());
    }
  }

  /**
   * Checks an attestation from outside a Nola registry.
   *
   * @param id its number in messages
   */
  void add(long id, SignedEnvelope signed) {
    Candidate candidate = new Candidate(id, signed.keyId(), signed.envelope());
    if (!isGiven(candidate)) {
      return;
    }
    VerifyingKey key = signed.key();
    if (key == null) {
      reject(candidate, "its public key is missing", false);
    } else {
      read(candidate, key.toBase64());
    }
  }

  private boolean isGiven(Candidate candidate) {
    if (pinned.isEmpty() || pinned.contains(candidate.key)) {
      return true;
    }
    reject(candidate, "its key is not among the given keys", false);
    return false;
  }

  private boolean isTrusted(Candidate candidate, WorkerKey key) {
    boolean isPinned = !pinned.isEmpty();
    switch (key.state()) {
      case REVOKED ->
          reject(
              candidate,
              "the key was revoked at %s: %s".formatted(key.revokedAt(), key.revokeReason()),
              isPinned);
      case PENDING -> {
        if (isPinned) {
          return true;
        }
        reject(candidate, "the registry's admins have not approved the key", true);
      }
      case APPROVED, EXPIRED -> {
        return true; // it had not expired when the registry took this in
      }
    }
    return false;
  }

  private void read(Candidate candidate, String publicKey) {
    try {
      Statement statement = open(candidate, publicKey);
      statement.requireAbout(digest, file);
      read.put(candidate, statement);
    } catch (InvalidAttestationException e) {
      reject(candidate, String.valueOf(e.getMessage()), true);
    }
  }

  private static Statement open(Candidate candidate, String publicKey)
      throws InvalidAttestationException {
    VerifyingKey verifying;
    try {
      verifying = VerifyingKey.parse(publicKey);
    } catch (IllegalArgumentException e) {
      throw new InvalidAttestationException(Reason.BAD_SIGNATURE, String.valueOf(e.getMessage()));
    }
    if (!verifying.fingerprint().equals(candidate.key)) {
      throw new InvalidAttestationException(
          Reason.BAD_SIGNATURE,
          "the registry sent a different key for it, " + verifying.fingerprint());
    }
    return verifying.open(candidate.envelope);
  }

  private void reject(Candidate candidate, String reason, boolean alarming) {
    rejected.add(new Rejected(candidate.id, candidate.key, reason, alarming));
  }

  /**
   * Reconstructs the file and compares the proofs.
   *
   * @return the checked attestations
   * @throws LimitExceededException if the file is more than is reconstructed
   */
  Attested prove() throws LimitExceededException {
    List<Holding> matches = new ArrayList<>();
    List<Holding> mismatches = new ArrayList<>();
    Set<Nonce> nonces =
        read.values().stream()
            .map(Statement::reconstruction)
            .filter(it -> it.outcome() == Outcome.MATCH)
            .map(it -> it.nonce())
            .collect(Collectors.toSet());
    Map<Nonce, Proof> proofs =
        nonces.isEmpty()
            ? Map.of()
            : Proof.of(
                file,
                Reconstructor.standard()
                    .withKernel(
                        Kernels.parallel(
                            Kernels.forShortRuns(Kernels.chosen()), ForkJoinPool.commonPool()))
                    .open(file.adapter()),
                nonces);
    read.forEach(
        (candidate, statement) -> {
          Holding holding = new Holding(candidate.key, statement);
          if (statement.reconstruction().outcome() == Outcome.MISMATCH) {
            mismatches.add(holding);
            return;
          }
          try {
            statement.requireProof(
                Objects.requireNonNull(proofs.get(statement.reconstruction().nonce())));
            matches.add(holding);
          } catch (InvalidAttestationException e) {
            reject(candidate, String.valueOf(e.getMessage()), true);
          }
        });
    return new Attested(matches, mismatches, rejected, !pinned.isEmpty());
  }
}

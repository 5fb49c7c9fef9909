package dev.nola.registry.verification;

import dev.nola.api.attestation.AttestationReport.Item;
import dev.nola.api.attestation.CopiedAttestations;
import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.InvalidAttestationException;
import dev.nola.api.attestation.InvalidAttestationException.Reason;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Proof;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.Statement;
import dev.nola.api.attestation.VerifyingKey;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.digest.Sha256;
import dev.nola.registry.catalog.AdapterExaminer;
import dev.nola.registry.jobs.VerificationJobs.LeasedVerification;
import dev.nola.text.Printable;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Checks an item of a worker's report in two steps: what it states, and whether that is true. */
final class AttestationVerifier {
  private static final int MAX_REASON = 500;

  private AttestationVerifier() {}

  /** A registered key, with its verifying half parsed. */
  record Known(WorkerKey key, VerifyingKey verifying) {
    static Known of(WorkerKey key) {
      return new Known(key, VerifyingKey.parse(key.publicKey()));
    }
  }

  /** Result of judging an item. */
  sealed interface Judged {}

  /** An attestation with a valid signature that is about the job. */
  record Attested(Sha256 key, Envelope envelope, Statement statement) implements Judged {
    Reconstruction reconstruction() {
      return statement.reconstruction();
    }
  }

  /** The worker cannot reconstruct the file. */
  record Unsupported(String reason) implements Judged {}

  /**
   * The item is refused.
   *
   * @param type of the problem, as the API names it
   * @param detail one line; what the worker sent may be part of it
   */
  record Refused(String type, String detail) implements Judged {
    Refused {
      detail = cut(Printable.line(detail));
    }
  }

  /**
   * Returns the content of an item, or why it is refused.
   *
   * @param account of the worker that sent it
   * @param keys those known, by fingerprint
   */
  static Judged read(Item item, LeasedVerification job, String account, Map<Sha256, Known> keys) {
    Envelope envelope = item.envelope();
    if ((envelope == null) == (item.unsupported() == null)) {
      return new Refused(
          Reason.INVALID_STATEMENT.type(), "item must have either envelope or unsupported");
    }
    if (envelope == null) {
      return new Unsupported(cut(Printable.line(String.valueOf(item.unsupported()))));
    }
    Known known = keyOf(envelope).map(keys::get).orElse(null);
    if (known == null) {
      return unknown(keyId(envelope));
    }
    Sha256 fingerprint = known.key().fingerprint();
    Refused refused = refusal(fingerprint, known.key(), job, account);
    if (refused != null) {
      return refused;
    }
    try {
      Statement statement = known.verifying().open(envelope);
      requireFor(job, statement);
      return new Attested(fingerprint, envelope, statement);
    } catch (InvalidAttestationException e) {
      return refused(e);
    }
  }

  /**
   * Returns the content of an attestation that was made for another registry, or why it is refused.
   *
   * @param digest of the file that it must be about
   */
  static Judged read(CopiedAttestations.Copy item, Sha256 digest) {
    VerifyingKey key;
    try {
      key = VerifyingKey.parse(item.publicKey());
    } catch (IllegalArgumentException e) {
      return new Refused(Reason.BAD_SIGNATURE.type(), String.valueOf(e.getMessage()));
    }
    try {
      Statement statement = key.open(item.envelope());
      if (!statement.subject().equals(digest)) {
        throw new InvalidAttestationException(
            Reason.WRONG_SUBJECT,
            "wrong subject: %s; the version's file is %s".formatted(statement.subject(), digest));
      }
      if (statement.reconstruction().outcome() != Outcome.MATCH) {
        return new Refused(
            "not-a-match",
            "outcome mismatch not accepted: bits that differ cannot be computed again; verify the version here");
      }
      return new Attested(key.fingerprint(), item.envelope(), statement);
    } catch (InvalidAttestationException e) {
      return refused(e);
    }
  }

  private static String cut(String reason) {
    return reason.length() > MAX_REASON ? reason.substring(0, MAX_REASON) : reason;
  }

  /** Returns the fingerprint of the key that an envelope names, if it names one. */
  static Optional<Sha256> keyOf(Envelope envelope) {
    try {
      return Optional.of(Sha256.parse(keyId(envelope)));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static String keyId(Envelope envelope) {
    return envelope.signatures().isEmpty() ? "" : envelope.signatures().getFirst().keyid();
  }

  /** Returns why attestations with a key are refused, or null if they are accepted. */
  static @Nullable Refused refusal(
      Sha256 fingerprint, @Nullable WorkerKey key, LeasedVerification job, String account) {
    if (key == null || !key.account().equals(account)) {
      return unknown(fingerprint.toString());
    }
    Refused refused = refusal(key);
    return refused != null || job.key().equals(fingerprint)
        ? refused
        : new Refused(
            "wrong-key",
            "job was leased with key %s, but its attestation is signed with %s"
                .formatted(job.key(), fingerprint));
  }

  /** Returns why nothing signed with a registered key is accepted now, or null if it is. */
  static @Nullable Refused refusal(WorkerKey key) {
    Sha256 fingerprint = key.fingerprint();
    return switch (key.state()) {
      case PENDING ->
          new Refused("key-not-approved", "key not approved by an admin: " + fingerprint);
      case EXPIRED ->
          new Refused(
              "key-expired", "key %s expired at %s".formatted(fingerprint, key.expiresAt()));
      case REVOKED ->
          new Refused(
              "key-revoked", "key %s was revoked: %s".formatted(fingerprint, key.revokeReason()));
      case APPROVED -> null;
    };
  }

  private static Refused unknown(String fingerprint) {
    return new Refused(
        "unknown-key", "key %s was not registered by this account".formatted(fingerprint));
  }

  private static void requireFor(LeasedVerification job, Statement statement)
      throws InvalidAttestationException {
    Reconstruction reconstruction = statement.reconstruction();
    if (!statement.subject().equals(job.digest())) {
      throw new InvalidAttestationException(
          Reason.WRONG_SUBJECT,
          "statement is about %s, but the job is about %s"
              .formatted(statement.subject(), job.digest()));
    }
    if (!reconstruction.backend().equals(job.backend())) {
      throw new InvalidAttestationException(
          Reason.WRONG_BACKEND,
          "wrong backend: %s; the job's is %s".formatted(reconstruction.backend(), job.backend()));
    }
    if (!reconstruction.nonce().equals(job.nonce())) {
      throw new InvalidAttestationException(
          Reason.WRONG_NONCE,
          "wrong nonce: %s; the job's is %s".formatted(reconstruction.nonce(), job.nonce()));
    }
  }

  /**
   * Returns whether an attestation is true, as far as the registry can check.
   *
   * @param proven the file, and the proofs that the registry made itself, if any
   */
  static Judged check(Attested attested, AdapterExaminer.Proven proven) {
    try {
      Statement statement = attested.statement();
      statement.requireAbout(statement.subject(), proven.file());
      Proof proof = proven.proofs().get(statement.reconstruction().nonce());
      if (proof != null && statement.reconstruction().outcome() == Outcome.MATCH) {
        statement.requireProof(proof);
      }
      return attested;
    } catch (InvalidAttestationException e) {
      return refused(e);
    }
  }

  private static Refused refused(InvalidAttestationException e) {
    return new Refused(e.reason().type(), String.valueOf(e.getMessage()));
  }
}

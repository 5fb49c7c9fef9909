package dev.nola.client.attestation;

import dev.nola.api.attestation.Attestation;
import dev.nola.api.attestation.Difference;
import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Proof;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.SigningKey;
import dev.nola.api.attestation.Statement;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.format.LimitExceededException;
import dev.nola.reconstruct.Reconstructor;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;

/** A worker with a key, on a host; honest unless it is asked otherwise. */
public record Worker(String name, String host, SigningKey key) {
  static final Nonce NONCE = new Nonce("5a".repeat(32));

  /** On a host of its own. */
  public static Worker named(String name) {
    return new Worker(name, name, SigningKey.generate());
  }

  public Sha256 fingerprint() {
    return key.publicKey().fingerprint();
  }

  /** As a registry has its key. */
  public WorkerKey workerKey(WorkerKey.State state) {
    return new WorkerKey(
        fingerprint(),
        key.publicKey().toBase64(),
        name,
        "",
        state,
        Instant.EPOCH,
        "admin",
        Instant.EPOCH,
        null,
        state == WorkerKey.State.REVOKED ? Instant.EPOCH : null,
        state == WorkerKey.State.REVOKED ? "disk stolen" : null);
  }

  /** What it says of a file. */
  public Statement statement(AdapterFile file, String backend, Outcome outcome) {
    Proof proof = proof(file, NONCE);
    return new Statement(
        Sha256.hash(file.toBytes()),
        new Reconstruction(
            outcome,
            backend,
            proof.digest().root(),
            proof.leaves(),
            NONCE,
            proof.proof(),
            null,
            name,
            Sha256.hash(host.getBytes(StandardCharsets.UTF_8)),
            Map.of("os", "Linux")));
  }

  /** That a file reconstructs to what another does. */
  public Statement mismatch(AdapterFile file, AdapterFile other, Difference difference) {
    Reconstruction it = statement(other, "vector", Outcome.MISMATCH).reconstruction();
    return new Statement(
        Sha256.hash(file.toBytes()),
        new Reconstruction(
            it.outcome(),
            it.backend(),
            it.root(),
            it.leaves(),
            it.nonce(),
            it.proof(),
            difference,
            it.worker(),
            it.host(),
            it.environment()));
  }

  /** As a registry lists it. */
  public Attestation attestation(Statement statement) {
    return attestation(statement, key.sign(statement));
  }

  public Attestation attestation(Statement statement, Envelope envelope) {
    return new Attestation(
        1,
        statement.subject(),
        fingerprint(),
        statement.reconstruction().outcome(),
        statement.reconstruction().backend(),
        true,
        Instant.EPOCH,
        envelope);
  }

  public Attestation match(AdapterFile file, String backend) {
    return attestation(statement(file, backend, Outcome.MATCH));
  }

  static Proof proof(AdapterFile file, Nonce nonce) {
    try {
      return Proof.of(file, Reconstructor.standard().open(file.adapter()), nonce);
    } catch (LimitExceededException e) {
      throw new AssertionError(e);
    }
  }
}

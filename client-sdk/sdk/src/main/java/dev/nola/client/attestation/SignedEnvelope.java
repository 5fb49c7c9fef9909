package dev.nola.client.attestation;

import dev.nola.api.attestation.Attestation;
import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.VerifyingKey;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.name.Reference;
import dev.nola.client.RegistryException;
import dev.nola.client.registry.NolaClient;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An attestation that can be stored and sent without a Nola registry. {@link Attested} checks its
 * signature.
 *
 * @param keyId fingerprint of the key that signed it, as the envelope states
 * @param envelope the signed statement
 * @param key the public key of that fingerprint; null if it is not known
 */
public record SignedEnvelope(Sha256 keyId, Envelope envelope, @Nullable VerifyingKey key) {
  /**
   * Pairs an envelope with its key.
   *
   * @param envelope the envelope
   * @param key the key that signed it; null if it is not known
   * @return both
   * @throws IllegalArgumentException if the envelope does not have one signature by a fingerprint,
   *     or the key is another one
   */
  public static SignedEnvelope of(Envelope envelope, @Nullable VerifyingKey key) {
    if (envelope.signatures().size() != 1) {
      throw new IllegalArgumentException(
          "invalid number of signatures: %d; must be 1".formatted(envelope.signatures().size()));
    }
    Sha256 keyId = Sha256.parse(envelope.signatures().getFirst().keyid());
    if (key != null && !key.fingerprint().equals(keyId)) {
      throw new IllegalArgumentException(
          "wrong public key: %s; must be the one that signed, %s"
              .formatted(key.fingerprint(), keyId));
    }
    return new SignedEnvelope(keyId, envelope, key);
  }

  /**
   * Fetches the attestations that count for or against a version, as its registry says.
   *
   * @param client of the registry
   * @param reference of the version, by number or digest
   * @return the attestations with their keys
   * @throws RegistryException if the registry refuses, cannot be reached, or sends an invalid one
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public static List<SignedEnvelope> fetch(NolaClient client, Reference reference)
      throws IOException, InterruptedException {
    RegistryAttestations fetched = RegistryAttestations.fetch(client, reference);
    List<SignedEnvelope> counting = new ArrayList<>();
    for (Attestation attestation : fetched.attestations()) {
      WorkerKey key = fetched.keys().get(attestation.key());
      if (attestation.counts() && key != null) {
        try {
          counting.add(of(attestation.envelope(), VerifyingKey.parse(key.publicKey())));
        } catch (IllegalArgumentException e) {
          throw RegistryException.broken(
              "invalid attestation from %s: %d of %s; %s"
                  .formatted(client.registry(), attestation.id(), reference, e.getMessage()));
        }
      }
    }
    return counting;
  }
}

package dev.nola.registry.pages;

import dev.nola.api.attestation.Attestation;
import dev.nola.api.attestation.InvalidAttestationException;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.Statement;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;

/**
 * An attestation for people.
 *
 * @param matches whether the worker got the bits that the file states
 * @param counts whether its key is approved and not revoked
 * @param backend that reconstructed
 * @param worker name of the worker
 * @param host digest that identifies the machine
 * @param key fingerprint of the key that signed
 * @param machine its processor or card, and what ran there
 * @param receivedAt time when the registry received it
 */
record Evidence(
    boolean matches,
    boolean counts,
    String backend,
    String worker,
    String host,
    String key,
    String machine,
    Instant receivedAt) {
  static Evidence of(Attestation attestation) {
    Reconstruction proved = statement(attestation).reconstruction();
    Map<String, String> environment = proved.environment();
    return new Evidence(
        attestation.outcome() == Outcome.MATCH,
        attestation.counts(),
        attestation.backend(),
        proved.worker(),
        proved.host().hex(),
        attestation.key().toString(),
        "%s, %s %s"
            .formatted(
                environment.getOrDefault("gpu", environment.getOrDefault("cpu", "unknown")),
                environment.getOrDefault("os", ""),
                environment.getOrDefault("arch", "")),
        attestation.receivedAt());
  }

  private static Statement statement(Attestation attestation) {
    try {
      return Statement.parse(Base64.getDecoder().decode(attestation.envelope().payload()));
    } catch (InvalidAttestationException e) {
      throw new IllegalStateException("stored attestation invalid: " + attestation.id(), e);
    }
  }
}

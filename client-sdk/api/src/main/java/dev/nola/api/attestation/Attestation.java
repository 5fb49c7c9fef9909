package dev.nola.api.attestation;

import dev.nola.digest.Sha256;
import java.time.Instant;

/**
 * An attestation in the registry. It has eight components because JSON has them side by side.
 *
 * @param id number that the registry gave it
 * @param digest digest of the adapter file
 * @param key fingerprint of the key that signed it
 * @param outcome what the worker found
 * @param backend backend that the worker used
 * @param counts whether it counts for or against the version: its key is approved and not revoked
 *     and its proof was right
 * @param receivedAt time at which the registry received it
 * @param envelope the signed statement, for anyone to check
 */
public record Attestation(
    long id,
    Sha256 digest,
    Sha256 key,
    Outcome outcome,
    String backend,
    boolean counts,
    Instant receivedAt,
    Envelope envelope) {}

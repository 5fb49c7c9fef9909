package dev.nola.api.attestation;

import dev.nola.digest.Sha256;
import java.time.Instant;

/**
 * An attestation as the registry keeps it.
 *
 * @param digest of the adapter file
 * @param key fingerprint of the key that signed
 * @param counts whether it counts for or against the version: its key is approved and not revoked
 *     and its proof was right
 * @param envelope what was signed, for everyone to check
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

package dev.nola.api.attestation;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An approval of a worker's key.
 *
 * @param expiresAt time from which nothing signed with it is accepted, or null
 */
public record KeyApproval(@Nullable Instant expiresAt) {}

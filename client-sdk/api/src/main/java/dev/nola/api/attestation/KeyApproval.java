package dev.nola.api.attestation;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * That a key is trusted.
 *
 * @param expiresAt from when on nothing signed with it is taken, or null
 */
public record KeyApproval(@Nullable Instant expiresAt) {}

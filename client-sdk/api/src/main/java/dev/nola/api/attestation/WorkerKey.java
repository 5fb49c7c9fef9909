package dev.nola.api.attestation;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.nola.digest.Sha256;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A key that a worker signs with.
 *
 * @param fingerprint digest of the key's X.509 SubjectPublicKeyInfo
 * @param publicKey base64 of that SubjectPublicKeyInfo
 * @param account of the token that it was registered with
 * @param approvedBy an admin, or null if it was not approved
 * @param expiresAt from when on nothing signed with it is taken, or null
 * @param revokedAt from when on nothing signed with it, ever, counts; or null
 * @param revokeReason null unless it is revoked
 */
public record WorkerKey(
    Sha256 fingerprint,
    String publicKey,
    String account,
    String description,
    State state,
    Instant registeredAt,
    @Nullable String approvedBy,
    @Nullable Instant approvedAt,
    @Nullable Instant expiresAt,
    @Nullable Instant revokedAt,
    @Nullable String revokeReason) {

  /** Whether what it signs is taken. */
  public enum State {
    /** An admin has not approved it yet. */
    @JsonProperty("pending")
    PENDING,
    @JsonProperty("approved")
    APPROVED,
    @JsonProperty("expired")
    EXPIRED,
    @JsonProperty("revoked")
    REVOKED
  }
}

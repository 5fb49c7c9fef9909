package dev.nola.api.attestation;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.nola.digest.Sha256;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A key that a worker signs with. It has eleven components because JSON has them side by side.
 *
 * @param fingerprint digest of the key's X.509 SubjectPublicKeyInfo
 * @param publicKey base64 of that SubjectPublicKeyInfo
 * @param account account that registered it
 * @param description text for the admin who approves it
 * @param state whether its signatures are accepted
 * @param registeredAt time of registration
 * @param approvedBy admin that approved it, or null
 * @param approvedAt time of approval, or null
 * @param expiresAt time from which nothing signed with it is accepted, or null
 * @param revokedAt time from which nothing that was ever signed with it counts, or null
 * @param revokeReason why, or null if it is not revoked
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

  /** A state of a key: whether its signatures are accepted. */
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

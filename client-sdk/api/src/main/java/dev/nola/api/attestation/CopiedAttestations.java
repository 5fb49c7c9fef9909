package dev.nola.api.attestation;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Attestations of a file that workers made for another registry.
 *
 * @param attestations 1 to 100 attestations, each checked on its own
 */
public record CopiedAttestations(List<Copy> attestations) {
  /** The largest number of attestations in a request. */
  public static final int MAX_ITEMS = 100;

  /** Copies the list. */
  public CopiedAttestations {
    attestations = List.copyOf(Objects.requireNonNull(attestations, "attestations is missing"));
  }

  /**
   * An attestation with the key that signed it.
   *
   * @param envelope the signed statement, unchanged
   * @param publicKey base64 of the key's X.509 SubjectPublicKeyInfo
   */
  public record Copy(Envelope envelope, String publicKey) {
    /**
     * Checks that both are there.
     *
     * @throws NullPointerException if one is missing
     */
    public Copy {
      Objects.requireNonNull(envelope, "envelope is missing");
      Objects.requireNonNull(publicKey, "publicKey is missing");
    }
  }

  /**
   * The registry's answer.
   *
   * @param verdicts a verdict on each attestation, in their order
   */
  public record CopyAnswer(List<CopyVerdict> verdicts) {
    /** Copies the list. */
    public CopyAnswer {
      verdicts = List.copyOf(verdicts);
    }
  }

  /**
   * The registry's verdict on an attestation.
   *
   * @param accepted whether the registry has the attestation now
   * @param type type of the problem if it was refused, such as {@code key-not-approved}, {@code
   *     wrong-proof}; else null
   * @param detail text of the problem, or null
   */
  public record CopyVerdict(boolean accepted, @Nullable String type, @Nullable String detail) {}
}

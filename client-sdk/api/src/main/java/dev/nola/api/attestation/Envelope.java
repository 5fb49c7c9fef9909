package dev.nola.api.attestation;

import java.util.List;
import java.util.Objects;

/**
 * A DSSE envelope.
 *
 * @param payload base64 of the statement's JSON
 * @param payloadType {@code application/vnd.in-toto+json}
 * @param signatures signatures of the payload; the registry takes exactly one
 */
public record Envelope(String payload, String payloadType, List<Signature> signatures) {
  /**
   * Copies the list.
   *
   * @throws NullPointerException if a component is missing
   */
  public Envelope {
    Objects.requireNonNull(payload, "payload is missing");
    Objects.requireNonNull(payloadType, "payloadType is missing");
    signatures = List.copyOf(Objects.requireNonNull(signatures, "signatures is missing"));
  }

  /**
   * A signature over the pre-authentication encoding of payload and type.
   *
   * @param keyid fingerprint of the key, {@code sha256:} and 64 hexadecimal digits over its X.509
   *     SubjectPublicKeyInfo
   * @param sig base64 of 64 bytes
   */
  public record Signature(String keyid, String sig) {
    /**
     * Checks that both are there.
     *
     * @throws NullPointerException if one is missing
     */
    public Signature {
      Objects.requireNonNull(keyid, "keyid is missing");
      Objects.requireNonNull(sig, "sig is missing");
    }
  }
}

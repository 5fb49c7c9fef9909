package dev.nola.api.attestation;

import dev.nola.api.attestation.InvalidAttestationException.Reason;
import dev.nola.format.Sha256;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The public half of a {@link SigningKey}. Immutable; may be used by many threads. */
public final class VerifyingKey {
  static final String ALGORITHM = "Ed25519";

  private static final int SIGNATURE_BYTES = 64;
  private static final int MAX_PAYLOAD = 16 << 20; // twice what the most leaves take

  private final PublicKey key;
  private final Sha256 fingerprint;

  private VerifyingKey(PublicKey key, Sha256 fingerprint) {
    this.key = key;
    this.fingerprint = fingerprint;
  }

  /**
   * The key with this X.509 SubjectPublicKeyInfo.
   *
   * @throws IllegalArgumentException if it is none of Ed25519, or not in its one encoding
   */
  public static VerifyingKey of(byte[] subjectPublicKeyInfo) {
    try {
      PublicKey key =
          KeyFactory.getInstance(ALGORITHM)
              .generatePublic(new X509EncodedKeySpec(subjectPublicKeyInfo));
      // Else one key could have several fingerprints, and count for several.
      if (!Arrays.equals(key.getEncoded(), subjectPublicKeyInfo)) {
        throw new IllegalArgumentException("the public key is not encoded as DER says");
      }
      return new VerifyingKey(key, Sha256.hash(subjectPublicKeyInfo));
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException(
          "the public key is no Ed25519 key in X.509 SubjectPublicKeyInfo", e);
    }
  }

  /**
   * The same from base64, as {@link WorkerKey} has it.
   *
   * @throws IllegalArgumentException if it is anything else
   */
  public static VerifyingKey parse(String base64) {
    byte[] decoded = decode(base64);
    if (decoded == null) {
      throw new IllegalArgumentException("the public key is not base64");
    }
    return of(decoded);
  }

  /** SHA-256 over the key's SubjectPublicKeyInfo. */
  public Sha256 fingerprint() {
    return fingerprint;
  }

  /** The key as X.509 SubjectPublicKeyInfo. */
  public byte[] encoded() {
    return key.getEncoded();
  }

  /** The key as {@link WorkerKey} has it. */
  public String toBase64() {
    return Base64.getEncoder().encodeToString(key.getEncoded());
  }

  /**
   * The statement that was signed with this key.
   *
   * @throws InvalidAttestationException if it was not: nothing of the payload was read then; or if
   *     what was signed is no statement
   */
  public Statement open(Envelope envelope) throws InvalidAttestationException {
    if (!Statement.PAYLOAD_TYPE.equals(envelope.payloadType())) {
      throw bad(
          "payloadType=%s, must be %s".formatted(envelope.payloadType(), Statement.PAYLOAD_TYPE));
    }
    List<Envelope.Signature> signatures = envelope.signatures();
    if (signatures.size() != 1) {
      throw bad("the envelope has %d signatures, must have 1".formatted(signatures.size()));
    }
    Envelope.Signature signature = signatures.getFirst();
    if (!fingerprint.toString().equals(signature.keyid())) {
      throw bad("keyid=%s, the key is %s".formatted(signature.keyid(), fingerprint));
    }
    byte[] bytes = decode(signature.sig());
    if (bytes == null || bytes.length != SIGNATURE_BYTES) {
      throw bad("sig=%s, must be base64 of 64 bytes".formatted(signature.sig()));
    }
    if (envelope.payload() == null || envelope.payload().length() > MAX_PAYLOAD) {
      throw bad("the payload is missing, or has more than %d characters".formatted(MAX_PAYLOAD));
    }
    byte[] payload = decode(envelope.payload());
    if (payload == null) {
      throw bad("the payload is not base64");
    }
    if (!verifies(Dsse.preAuthenticationEncoding(envelope.payloadType(), payload), bytes)) {
      throw bad(
          "the signature of %s does not fit: it is forged, or the statement was altered"
              .formatted(fingerprint));
    }
    return Statement.parse(payload);
  }

  boolean verifies(byte[] message, byte[] signature) {
    try {
      Signature verification = Signature.getInstance(ALGORITHM);
      verification.initVerify(key);
      verification.update(message);
      return verification.verify(signature);
    } catch (SignatureException _) {
      return false; // not even a point and a number
    } catch (GeneralSecurityException e) {
      throw new AssertionError("an Ed25519 key verifies anything", e);
    }
  }

  /** Standard base64 in its one encoding of the bytes, or null. */
  private static byte @Nullable [] decode(@Nullable String base64) {
    if (base64 == null) {
      return null;
    }
    try {
      byte[] decoded = Base64.getDecoder().decode(base64);
      return Base64.getEncoder().encodeToString(decoded).equals(base64) ? decoded : null;
    } catch (IllegalArgumentException _) {
      return null;
    }
  }

  private static InvalidAttestationException bad(String message) {
    return new InvalidAttestationException(Reason.BAD_SIGNATURE, message);
  }
}

package dev.nola.api.attestation;

import dev.nola.api.attestation.InvalidAttestationException.Reason;
import dev.nola.digest.Sha256;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.math.ec.rfc8032.Ed25519;
import org.bouncycastle.math.ec.rfc8032.Ed25519.PublicPoint;
import org.jspecify.annotations.Nullable;

/** The public half of a {@link SigningKey}. Immutable; may be used by many threads. */
public final class VerifyingKey {
  /** The DER prefix of the 32 bytes of an Ed25519 key (RFC 8410): there is no other encoding. */
  private static final byte[] SUBJECT_PUBLIC_KEY_INFO =
      HexFormat.of().parseHex("302a300506032b6570032100");

  private static final String PEM_BEGIN = "-----BEGIN PUBLIC KEY-----";
  private static final String PEM_END = "-----END PUBLIC KEY-----";

  private static final int MAX_PAYLOAD = 16 << 20; // twice the largest statement

  private final byte[] encoded;
  private final PublicPoint point;
  private final Sha256 fingerprint;

  private VerifyingKey(byte[] encoded, PublicPoint point) {
    this.encoded = encoded;
    this.point = point;
    this.fingerprint = Sha256.hash(encoded);
  }

  /**
   * Reads a key from its X.509 SubjectPublicKeyInfo.
   *
   * @param subjectPublicKeyInfo DER
   * @return the key
   * @throws IllegalArgumentException if it is not an Ed25519 key in its one encoding, or one that
   *     no secret has: under a key of small order a signature could fit any statement
   */
  public static VerifyingKey of(byte[] subjectPublicKeyInfo) {
    int prefix = SUBJECT_PUBLIC_KEY_INFO.length;
    // One encoding: else one key could have several fingerprints, and count for several.
    if (subjectPublicKeyInfo.length != prefix + Ed25519.PUBLIC_KEY_SIZE
        || !Arrays.equals(subjectPublicKeyInfo, 0, prefix, SUBJECT_PUBLIC_KEY_INFO, 0, prefix)) {
      throw new IllegalArgumentException(
          "invalid public key; must be an Ed25519 key in X.509 SubjectPublicKeyInfo");
    }
    byte[] encoded = subjectPublicKeyInfo.clone();
    PublicPoint point = Ed25519.validatePublicKeyFullExport(encoded, prefix);
    if (point == null) {
      throw new IllegalArgumentException(
          "invalid public key; must be the canonical encoding of a curve point of prime order");
    }
    return new VerifyingKey(encoded, point);
  }

  /** Derives the public half of a secret of 32 bytes. */
  static VerifyingKey ofSecret(byte[] secret) {
    byte[] encoded =
        Arrays.copyOf(
            SUBJECT_PUBLIC_KEY_INFO, SUBJECT_PUBLIC_KEY_INFO.length + Ed25519.PUBLIC_KEY_SIZE);
    Ed25519.generatePublicKey(secret, 0, encoded, SUBJECT_PUBLIC_KEY_INFO.length);
    return of(encoded);
  }

  /**
   * Parses a key in the form of {@link WorkerKey}.
   *
   * @param base64 base64 of the X.509 SubjectPublicKeyInfo
   * @return the key
   * @throws IllegalArgumentException if it is anything else
   */
  public static VerifyingKey parse(String base64) {
    byte[] decoded = decode(base64);
    if (decoded == null) {
      throw new IllegalArgumentException("invalid public key; must be base64");
    }
    return of(decoded);
  }

  /**
   * Parses a key in PEM.
   *
   * @param pem a {@code PUBLIC KEY} block; white space within it does not matter
   * @return the key
   * @throws IllegalArgumentException if it is anything else
   */
  public static VerifyingKey parsePem(String pem) {
    return parse(pem.replace(PEM_BEGIN, "").replace(PEM_END, "").replaceAll("\\s", ""));
  }

  /**
   * Returns the key in PEM, which other programs read.
   *
   * @return three lines, each with its line feed
   */
  public String toPem() {
    return PEM_BEGIN + "\n" + toBase64() + "\n" + PEM_END + "\n";
  }

  /**
   * Returns the SHA-256 of the key's SubjectPublicKeyInfo.
   *
   * @return the fingerprint
   */
  public Sha256 fingerprint() {
    return fingerprint;
  }

  /**
   * Returns the key as X.509 SubjectPublicKeyInfo.
   *
   * @return a new array with DER
   */
  public byte[] encoded() {
    return encoded.clone();
  }

  /**
   * Returns the key in the form of {@link WorkerKey}.
   *
   * @return base64 of the X.509 SubjectPublicKeyInfo
   */
  public String toBase64() {
    return Base64.getEncoder().encodeToString(encoded);
  }

  /**
   * Opens an envelope that was signed with this key.
   *
   * @param envelope the envelope
   * @return the statement in it
   * @throws InvalidAttestationException if it was not signed with this key, in which case nothing
   *     of the payload was read; or if the payload is not a statement
   */
  public Statement open(Envelope envelope) throws InvalidAttestationException {
    if (!Statement.PAYLOAD_TYPE.equals(envelope.payloadType())) {
      throw bad(
          "invalid payloadType: %s; must be %s"
              .formatted(envelope.payloadType(), Statement.PAYLOAD_TYPE));
    }
    List<Envelope.Signature> signatures = envelope.signatures();
    if (signatures.size() != 1) {
      throw bad("the envelope has %d signatures; must have 1".formatted(signatures.size()));
    }
    Envelope.Signature signature = signatures.getFirst();
    if (!fingerprint.toString().equals(signature.keyid())) {
      throw bad("keyid=%s, but the key is %s".formatted(signature.keyid(), fingerprint));
    }
    byte[] bytes = decode(signature.sig());
    if (bytes == null || bytes.length != Ed25519.SIGNATURE_SIZE) {
      throw bad("invalid sig: %s; must be base64 of 64 bytes".formatted(signature.sig()));
    }
    if (envelope.payload() == null || envelope.payload().length() > MAX_PAYLOAD) {
      throw bad("the payload is missing or has more than %d characters".formatted(MAX_PAYLOAD));
    }
    byte[] payload = decode(envelope.payload());
    if (payload == null) {
      throw bad("invalid payload; must be base64");
    }
    if (!verifies(Dsse.preAuthenticationEncoding(envelope.payloadType(), payload), bytes)) {
      throw bad(
          "invalid signature of key %s: it is forged, or the statement was altered"
              .formatted(fingerprint));
    }
    return Statement.parse(payload);
  }

  /** Returns whether a signature of 64 bytes is valid; none is whose second half is not reduced. */
  boolean verifies(byte[] message, byte[] signature) {
    return Ed25519.verify(signature, 0, point, message, 0, message.length);
  }

  /** Signs with this key's secret. */
  byte[] sign(byte[] secret, byte[] message) {
    byte[] signature = new byte[Ed25519.SIGNATURE_SIZE];
    Ed25519.sign(
        secret,
        0,
        encoded,
        SUBJECT_PUBLIC_KEY_INFO.length,
        message,
        0,
        message.length,
        signature,
        0);
    return signature;
  }

  /** Decodes standard base64; null if it is not the one encoding of the bytes. */
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

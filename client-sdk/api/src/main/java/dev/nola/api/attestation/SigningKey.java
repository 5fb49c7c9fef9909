package dev.nola.api.attestation;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/** An Ed25519 key pair that signs attestations. Immutable; may be used by many threads. */
public final class SigningKey {
  private static final Pattern PEM =
      Pattern.compile(
          "\\s*-----BEGIN PRIVATE KEY-----\\s+([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----"
              + "\\s*-----BEGIN PUBLIC KEY-----\\s+([A-Za-z0-9+/=\\s]+)-----END PUBLIC KEY-----\\s*");
  private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

  /** The PKCS #8 prefix of the 32 bytes of an Ed25519 secret (RFC 8410). */
  private static final byte[] PRIVATE_KEY_INFO =
      HexFormat.of().parseHex("302e020100300506032b657004220420");

  private final byte[] secret;
  private final VerifyingKey publicKey;

  private SigningKey(byte[] secret, VerifyingKey publicKey) {
    this.secret = secret;
    this.publicKey = publicKey;
  }

  /**
   * Generates a key.
   *
   * @return a new random key
   */
  public static SigningKey generate() {
    byte[] secret = new byte[Ed25519.SECRET_KEY_SIZE];
    Ed25519.generatePrivateKey(new SecureRandom(), secret);
    return of(secret);
  }

  /** Creates the key with a secret of 32 bytes. */
  static SigningKey of(byte[] secret) {
    return new SigningKey(secret.clone(), VerifyingKey.ofSecret(secret));
  }

  /**
   * Parses a key that {@link #toPem} wrote.
   *
   * @param pem both PEM blocks
   * @return the key
   * @throws IllegalArgumentException if it is not one; the message does not show it
   */
  public static SigningKey parsePem(String pem) {
    Matcher blocks = PEM.matcher(pem);
    if (!blocks.matches()) {
      throw new IllegalArgumentException(
          "invalid signing key; must be a PEM block PRIVATE KEY followed by a PEM block PUBLIC KEY");
    }
    byte[] privateKey = Base64.getMimeDecoder().decode(blocks.group(1));
    int prefix = PRIVATE_KEY_INFO.length;
    if (privateKey.length != prefix + Ed25519.SECRET_KEY_SIZE
        || !Arrays.equals(privateKey, 0, prefix, PRIVATE_KEY_INFO, 0, prefix)) {
      throw new IllegalArgumentException("invalid private key; must be an Ed25519 key in PKCS #8");
    }
    SigningKey key = of(Arrays.copyOfRange(privateKey, prefix, privateKey.length));
    byte[] publicKey = Base64.getMimeDecoder().decode(blocks.group(2));
    if (!Arrays.equals(publicKey, key.publicKey.encoded())) {
      throw new IllegalArgumentException(
          "the public key does not belong to the private key; must be its other half");
    }
    return key;
  }

  /**
   * Writes both halves as PEM blocks PRIVATE KEY (PKCS #8) and PUBLIC KEY (X.509).
   *
   * @return the text; a secret
   */
  public String toPem() {
    byte[] privateKey = Arrays.copyOf(PRIVATE_KEY_INFO, PRIVATE_KEY_INFO.length + secret.length);
    System.arraycopy(secret, 0, privateKey, PRIVATE_KEY_INFO.length, secret.length);
    return block("PRIVATE KEY", privateKey) + block("PUBLIC KEY", publicKey.encoded());
  }

  private static String block(String label, byte[] content) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(label, LINES.encodeToString(content), label);
  }

  /**
   * Returns the half that everyone may know.
   *
   * @return the public key
   */
  public VerifyingKey publicKey() {
    return publicKey;
  }

  /**
   * Signs a statement.
   *
   * @param statement the statement
   * @return the statement with its signature
   */
  public Envelope sign(Statement statement) {
    byte[] payload = statement.toJson();
    byte[] signature =
        publicKey.sign(secret, Dsse.preAuthenticationEncoding(Statement.PAYLOAD_TYPE, payload));
    Base64.Encoder base64 = Base64.getEncoder();
    return new Envelope(
        base64.encodeToString(payload),
        Statement.PAYLOAD_TYPE,
        List.of(
            new Envelope.Signature(
                publicKey.fingerprint().toString(), base64.encodeToString(signature))));
  }
}

package dev.nola.api.attestation;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An Ed25519 key pair that signs attestations. Immutable; may be used by many threads. */
public final class SigningKey {
  private static final Pattern PEM =
      Pattern.compile(
          "\\s*-----BEGIN PRIVATE KEY-----\\s+([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----"
              + "\\s*-----BEGIN PUBLIC KEY-----\\s+([A-Za-z0-9+/=\\s]+)-----END PUBLIC KEY-----\\s*");
  private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

  private final PrivateKey secret;
  private final VerifyingKey publicKey;

  private SigningKey(PrivateKey secret, VerifyingKey publicKey) {
    this.secret = secret;
    this.publicKey = publicKey;
  }

  /** A new key. */
  public static SigningKey generate() {
    try {
      KeyPair pair = KeyPairGenerator.getInstance(VerifyingKey.ALGORITHM).generateKeyPair();
      return new SigningKey(pair.getPrivate(), VerifyingKey.of(pair.getPublic().getEncoded()));
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every JDK since 15 has Ed25519", e);
    }
  }

  /**
   * The key that {@link #toPem} wrote.
   *
   * @throws IllegalArgumentException if it is not one; the message does not show it
   */
  public static SigningKey parsePem(String pem) {
    Matcher blocks = PEM.matcher(pem);
    if (!blocks.matches()) {
      throw new IllegalArgumentException(
          "a signing key is a PEM block PRIVATE KEY followed by a block PUBLIC KEY");
    }
    try {
      PrivateKey secret =
          KeyFactory.getInstance(VerifyingKey.ALGORITHM)
              .generatePrivate(
                  new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(blocks.group(1))));
      SigningKey key =
          new SigningKey(secret, VerifyingKey.of(Base64.getMimeDecoder().decode(blocks.group(2))));
      byte[] sample = "nola".getBytes(StandardCharsets.US_ASCII);
      if (!key.publicKey.verifies(sample, key.sign(sample))) {
        throw new IllegalArgumentException("the public key is not the private key's");
      }
      return key;
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("the private key is no Ed25519 key in PKCS #8", e);
    }
  }

  /** Both halves, as PEM blocks PRIVATE KEY (PKCS #8) and PUBLIC KEY (X.509). A secret. */
  public String toPem() {
    return block("PRIVATE KEY", secret.getEncoded()) + block("PUBLIC KEY", publicKey.encoded());
  }

  private static String block(String label, byte[] content) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(label, LINES.encodeToString(content), label);
  }

  /** The half that everyone may know. */
  public VerifyingKey publicKey() {
    return publicKey;
  }

  /** Signs a statement. */
  public Envelope sign(Statement statement) {
    byte[] payload = statement.toJson();
    byte[] signature = sign(Dsse.preAuthenticationEncoding(Statement.PAYLOAD_TYPE, payload));
    Base64.Encoder base64 = Base64.getEncoder();
    return new Envelope(
        base64.encodeToString(payload),
        Statement.PAYLOAD_TYPE,
        List.of(
            new Envelope.Signature(
                publicKey.fingerprint().toString(), base64.encodeToString(signature))));
  }

  private byte[] sign(byte[] message) {
    try {
      Signature signature = Signature.getInstance(VerifyingKey.ALGORITHM);
      signature.initSign(secret);
      signature.update(message);
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new AssertionError("an Ed25519 key signs anything", e);
    }
  }
}

package dev.nola.registry.signing;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import org.bouncycastle.asn1.sec.SECNamedCurves;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.generators.ECKeyPairGenerator;
import org.bouncycastle.crypto.params.AsymmetricKeyParameter;
import org.bouncycastle.crypto.params.ECKeyGenerationParameters;
import org.bouncycastle.crypto.params.ECNamedDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.crypto.signers.HMacDSAKCalculator;
import org.bouncycastle.crypto.signers.StandardDSAEncoding;
import org.bouncycastle.crypto.util.PrivateKeyFactory;
import org.bouncycastle.crypto.util.PrivateKeyInfoFactory;
import org.bouncycastle.crypto.util.SubjectPublicKeyInfoFactory;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemReader;
import org.bouncycastle.util.io.pem.PemWriter;
import org.jspecify.annotations.Nullable;

/**
 * A P-256 key that signs by ECDSA with SHA-256. Signatures are deterministic (RFC 6979), so that
 * every server makes the same file of the same content. Immutable; may be used by many threads.
 */
final class EcKey {
  private static final String PRIVATE = "PRIVATE KEY";
  private static final String RULE =
      "; must be a P-256 key in PKCS #8 as PEM: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256";
  private static final ECNamedDomainParameters P256 =
      new ECNamedDomainParameters(
          SECObjectIdentifiers.secp256r1, SECNamedCurves.getByOID(SECObjectIdentifiers.secp256r1));

  private final ECPrivateKeyParameters secret;
  private final String publicPem;

  private EcKey(ECPrivateKeyParameters secret) {
    this.secret = secret;
    try {
      // The curve's generator has its multiples precomputed, unlike a point read from a file.
      ECPublicKeyParameters point =
          new ECPublicKeyParameters(P256.getG().multiply(secret.getD()), P256);
      publicPem =
          pem(
              "PUBLIC KEY",
              SubjectPublicKeyInfoFactory.createSubjectPublicKeyInfo(point).getEncoded());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // of memory: cannot happen
    }
  }

  /**
   * Generates a key.
   *
   * @return a new random key
   */
  static EcKey generate() {
    ECKeyPairGenerator generator = new ECKeyPairGenerator();
    generator.init(new ECKeyGenerationParameters(P256, new SecureRandom()));
    return new EcKey((ECPrivateKeyParameters) generator.generateKeyPair().getPrivate());
  }

  /**
   * Parses a private key.
   *
   * @param pem a PEM block PRIVATE KEY
   * @return the key
   * @throws IllegalArgumentException if it is not one; the message does not show it
   */
  static EcKey parse(String pem) {
    PemObject block = block(pem);
    if (block == null || !block.getType().equals(PRIVATE)) {
      throw invalid(block == null ? "no PEM block" : "PEM block " + block.getType(), null);
    }
    AsymmetricKeyParameter key;
    try {
      key = PrivateKeyFactory.createKey(block.getContent());
    } catch (IOException | RuntimeException e) { // of many kinds, by what is damaged
      throw invalid("not readable", e);
    }
    if (key instanceof ECPrivateKeyParameters secret && secret.getParameters().equals(P256)) {
      return new EcKey(secret);
    }
    throw invalid("another algorithm or curve", null);
  }

  private static @Nullable PemObject block(String pem) {
    try (PemReader reader = new PemReader(new StringReader(pem))) {
      return reader.readPemObject();
    } catch (IOException | RuntimeException e) {
      throw invalid("not readable", e);
    }
  }

  private static IllegalArgumentException invalid(String reason, @Nullable Exception cause) {
    return new IllegalArgumentException("invalid signing key: " + reason + RULE, cause);
  }

  /** Returns the private key as PEM; a secret. */
  String toPem() {
    try {
      return pem(PRIVATE, PrivateKeyInfoFactory.createPrivateKeyInfo(secret).getEncoded());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // of memory: cannot happen
    }
  }

  /** Returns the public key as a PEM block PUBLIC KEY. */
  String publicPem() {
    return publicPem;
  }

  /** Returns the SHA-256 of the public key's PEM block: 64 hexadecimal digits. */
  String hint() {
    return Sha256.hash(publicPem.getBytes(StandardCharsets.US_ASCII)).hex();
  }

  /**
   * Signs bytes.
   *
   * @param message any bytes
   * @return the signature as ASN.1 DER, the same for the same bytes
   */
  byte[] sign(byte[] message) {
    ECDSASigner signer = new ECDSASigner(new HMacDSAKCalculator(new SHA256Digest()));
    signer.init(true, secret);
    BigInteger[] signature = signer.generateSignature(Sha256.hash(message).toBytes());
    try {
      return StandardDSAEncoding.INSTANCE.encode(P256.getN(), signature[0], signature[1]);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // of memory: cannot happen
    }
  }

  private static String pem(String type, byte[] content) throws IOException {
    StringWriter text = new StringWriter();
    try (PemWriter writer = new PemWriter(text)) {
      writer.writeObject(new PemObject(type, content));
    }
    return text.toString().replace(System.lineSeparator(), "\n");
  }
}

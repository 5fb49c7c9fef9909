package dev.nola.registry.signing;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EcKeyTest {
  /** The key of RFC 6979, A.2.5. */
  private static final String PKCS8 =
      "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420"
          + "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";

  private static String pem(String type, byte[] content) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(
            type, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content), type);
  }

  private static String generated(String algorithm, String curve) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
    if (!curve.isEmpty()) {
      generator.initialize(new ECGenParameterSpec(curve));
    }
    return pem("PRIVATE KEY", generator.generateKeyPair().getPrivate().getEncoded());
  }

  @Test
  void writtenKeyIsReadAgainAndSignsTheSame() throws Exception {
    EcKey key = EcKey.generate();
    EcKey read = EcKey.parse(key.toPem());

    assertThat(read.publicPem())
        .isEqualTo(key.publicPem())
        .startsWith("-----BEGIN PUBLIC KEY-----\n");
    assertThat(read.hint()).isEqualTo(key.hint());
    byte[] message = "message".getBytes(US_ASCII);
    assertThat(read.sign(message)).isEqualTo(key.sign(message)).isEqualTo(key.sign(message));
  }

  @Test
  void keyOfAnotherProgramIsRead() throws Exception {
    assertThat(EcKey.parse(generated("EC", "secp256r1")).publicPem()).contains("PUBLIC KEY");
  }

  /** From RFC 6979, A.2.5: P-256, SHA-256, message "sample". */
  @Test
  void signatureIsThatOfTheStandard() {
    EcKey key = EcKey.parse(pem("PRIVATE KEY", HexFormat.of().parseHex(PKCS8)));

    assertThat(HexFormat.of().withUpperCase().formatHex(key.sign("sample".getBytes(US_ASCII))))
        .isEqualTo(
            "3046022100EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
                + "022100F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"})
  void whatIsNoKeyIsRefused(String text) {
    assertThatThrownBy(() -> EcKey.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("invalid signing key: ")
        .hasMessageContaining("; must be a P-256 key in PKCS #8 as PEM");
  }

  @Test
  void keyOfAnotherKindIsRefused() throws Exception {
    for (String other :
        new String[] {
          generated("EC", "secp384r1"),
          pem(
              "PRIVATE KEY",
              HexFormat.of().parseHex(PKCS8.replace("3d030107", "3d03010b"))), // no curve
          generated("Ed25519", ""),
          generated("EC", "secp256r1").replace("PRIVATE KEY", "EC PRIVATE KEY"),
          EcKey.generate().publicPem()
        }) {
      assertThatThrownBy(() -> EcKey.parse(other))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("; must be a P-256 key in PKCS #8 as PEM");
    }
  }
}

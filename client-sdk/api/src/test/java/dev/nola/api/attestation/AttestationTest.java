package dev.nola.api.attestation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.nola.api.attestation.InvalidAttestationException.Reason;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AttestationTest {
  private static final Nonce NONCE = new Nonce("0f".repeat(32));
  private static final SigningKey KEY = SigningKey.generate();

  private final AdapterFile file = file(1);
  private final Sha256 digest = Sha256.hash(file.toBytes());

  @Test
  void preAuthenticationEncodingIsThatOfTheSpecification() {
    assertThat(
            Dsse.preAuthenticationEncoding(
                "http://example.com/HelloWorld", "hello world".getBytes(StandardCharsets.UTF_8)))
        .asString(StandardCharsets.UTF_8)
        .isEqualTo("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  }

  @Test
  void signedStatementIsReadBack() throws Exception {
    Statement statement = match();

    Statement read = KEY.publicKey().open(KEY.sign(statement));

    assertThat(read).isEqualTo(statement);
    read.requireAbout(digest, file);
    read.requireProof(proof(NONCE));
  }

  @Test
  void equalStatementsHaveEqualBytes() {
    byte[] json = match().toJson();

    assertThat(match().toJson()).isEqualTo(json);
    assertThat(new String(json, StandardCharsets.UTF_8))
        .startsWith(
            "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"adapter.nola\","
                + "\"digest\":{\"sha256\":\""
                + digest.hex()
                + "\"}}],\"predicateType\":\"urn:nola:predicate:reconstruction:v1\","
                + "\"predicate\":{\"outcome\":\"match\",\"backend\":\"scalar\",\"root\":\"")
        .contains("\"environment\":{\"arch\":\"amd64\",\"os\":\"Linux\"}")
        .doesNotContain("difference");
  }

  @Test
  void keyOutlivesItsFile() throws Exception {
    SigningKey read = SigningKey.parsePem(KEY.toPem());

    assertThat(read.publicKey().fingerprint()).isEqualTo(KEY.publicKey().fingerprint());
    assertThat(KEY.publicKey().open(read.sign(match()))).isEqualTo(match());
    String[] blocks = KEY.toPem().split("(?<=END PRIVATE KEY-----\n)");
    String foreign = SigningKey.generate().toPem().split("(?<=END PRIVATE KEY-----\n)")[1];
    assertThatThrownBy(() -> SigningKey.parsePem(blocks[0] + foreign))
        .hasMessage("the public key does not belong to the private key; must be its other half");
    assertThatThrownBy(() -> SigningKey.parsePem(blocks[0]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** RFC 8032, 7.1: the tests 1, 2, 3 and SHA(abc). */
  @ParameterizedTest
  @CsvSource({
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60,"
        + "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a,"
        + "'',"
        + "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb,"
        + "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c,"
        + "72,"
        + "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7,"
        + "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025,"
        + "af82,"
        + "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42,"
        + "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf,"
        + "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f,"
        + "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
  })
  void signaturesEqualThoseOfTheStandard(
      String secret, String publicKey, String message, String signature) {
    SigningKey key = SigningKey.of(hex(secret));
    byte[] text = hex(message);

    byte[] signed = key.publicKey().sign(hex(secret), text);

    assertThat(key.publicKey().encoded()).endsWith(hex(publicKey));
    assertThat(signed).isEqualTo(hex(signature));
    assertThat(key.publicKey().verifies(text, signed)).isTrue();
    for (int bit = 0; bit < 8 * signed.length; bit++) {
      byte[] other = signed.clone();
      other[bit / 8] ^= (byte) (1 << bit % 8);
      assertThat(key.publicKey().verifies(text, other)).as("bit " + bit).isFalse();
    }
  }

  /** The group's order added to S gives the same point: a second signature of the same. */
  @Test
  void onlyReducedSignaturesFit() {
    byte[] secret = "one secret, 32 bytes of letters.".getBytes(StandardCharsets.UTF_8);
    byte[] text = {1, 2, 3};
    VerifyingKey key = SigningKey.of(secret).publicKey();
    byte[] signature = key.sign(secret, text);
    byte[] order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    int carry = 0;
    for (int i = 0; i < order.length; i++) {
      carry += (signature[32 + i] & 0xff) + (order[i] & 0xff);
      signature[32 + i] = (byte) carry;
      carry >>>= 8;
    }

    assertThat(carry).isZero();
    assertThat(key.verifies(text, signature)).isFalse();
  }

  /** All points whose order divides 8, and two encodings of the same that are not canonical. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0100000000000000000000000000000000000000000000000000000000000080",
      })
  void keysOfSmallOrderAreRefused(String point) {
    assertThatThrownBy(() -> VerifyingKey.of(hex("302a300506032b6570032100" + point)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("prime order");
  }

  /** Keys that were made, and attestations that were signed, by the JDK's Ed25519. */
  @Test
  void signatureEqualsThatOfTheJdk() throws Exception {
    KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    Base64.Encoder lines = Base64.getMimeEncoder(64, new byte[] {'\n'});
    SigningKey key =
        SigningKey.parsePem(
            "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n"
                .formatted(
                    lines.encodeToString(pair.getPrivate().getEncoded()),
                    lines.encodeToString(pair.getPublic().getEncoded())));
    Envelope signed = key.sign(match());
    Signature jdk = Signature.getInstance("Ed25519");
    jdk.initSign(pair.getPrivate());
    jdk.update(
        Dsse.preAuthenticationEncoding(
            signed.payloadType(), Base64.getDecoder().decode(signed.payload())));

    assertThat(Base64.getDecoder().decode(signed.signatures().getFirst().sig()))
        .isEqualTo(jdk.sign());
  }

  private static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits);
  }

  @Test
  void onlyOneEncodingOfAnEd25519KeyIsAccepted() throws Exception {
    VerifyingKey key = KEY.publicKey();
    assertThat(VerifyingKey.parse(key.toBase64()).fingerprint()).isEqualTo(key.fingerprint());
    byte[] longer = Arrays.copyOf(key.encoded(), key.encoded().length + 1);
    byte[] ed448 = KeyPairGenerator.getInstance("Ed448").generateKeyPair().getPublic().getEncoded();

    assertThatThrownBy(() -> VerifyingKey.of(longer)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> VerifyingKey.of(ed448)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> VerifyingKey.parse("?")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void forgedSignatureAndAlteredStatementAreRefused() {
    Envelope signed = KEY.sign(match());
    String payload =
        new String(Base64.getDecoder().decode(signed.payload()), StandardCharsets.UTF_8);
    String altered = base64(payload.replace("scalar", "vector"));
    String keyid = KEY.publicKey().fingerprint().toString();
    String foreign = SigningKey.generate().sign(match()).signatures().getFirst().sig();

    assertRefused(Reason.BAD_SIGNATURE, envelope(altered, signed));
    assertRefused(Reason.BAD_SIGNATURE, envelope(signed.payload(), keyid, foreign));
    assertRefused(
        Reason.BAD_SIGNATURE,
        envelope(signed.payload(), keyid, Base64.getEncoder().encodeToString(new byte[64])));
    assertRefused(Reason.BAD_SIGNATURE, envelope(signed.payload(), keyid, "AA=="));
    assertRefused(Reason.BAD_SIGNATURE, SigningKey.generate().sign(match()));
    assertRefused(
        Reason.BAD_SIGNATURE,
        new Envelope(signed.payload(), "application/json", signed.signatures()));
    assertRefused(
        Reason.BAD_SIGNATURE,
        new Envelope(
            signed.payload(),
            signed.payloadType(),
            List.of(signed.signatures().getFirst(), signed.signatures().getFirst())));
    assertRefused(Reason.BAD_SIGNATURE, envelope(signed.payload() + "\n", signed));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "Statement/v1|Statement/v2|invalid _type: ",
        "reconstruction:v1|reconstruction:v2|invalid predicateType: ",
        "\"sha256\"|\"sha512\"|invalid subject: ",
        "\"outcome\":\"match\"|\"outcome\":\"maybe\"|not valid JSON of this type",
        "\"outcome\":\"match\",|``|outcome is missing",
        "\"backend\":\"scalar\"|\"backend\":\"abacus\"|invalid backend: abacus",
        "\"worker\":|\"trust\":\"me\",\"worker\":|not valid JSON of this type",
        "\"worker\":|\"worker\":\"other\",\"worker\":|not valid JSON of this type",
        "\"worker\":\"w1\"|\"worker\":\"w\\u00001\"|control character",
        "\"host\":\"00|\"host\":\"AA|invalid host: AA",
        "\"nonce\":\"0f|\"nonce\":\"|invalid nonce: 0f",
        "\"leaves\":[\"|\"leaves\":[\"x|invalid leaves: x",
        "\"root\":\"|\"other\":\"|not valid JSON of this type",
      })
  void invalidStatementIsRefused(String original, String replacement, String message)
      throws Exception {
    String json = new String(match().toJson(), StandardCharsets.UTF_8);
    assertThat(json).contains(original);

    InvalidAttestationException e =
        catchThrowableOfType(
            InvalidAttestationException.class,
            () ->
                Statement.parse(
                    json.replace(original, replacement).getBytes(StandardCharsets.UTF_8)));

    assertThat(e.reason()).isEqualTo(Reason.INVALID_STATEMENT);
    assertThat(e).hasMessageContaining(message);
    assertThat(Statement.parse(json.getBytes(StandardCharsets.UTF_8))).isEqualTo(match());
  }

  @Test
  void trailingBytesAndNullAreRefused() {
    for (String json :
        List.of(
            new String(match().toJson(), StandardCharsets.UTF_8) + "{}", "null", "[]", "", "{}")) {
      assertThatThrownBy(() -> Statement.parse(json.getBytes(StandardCharsets.UTF_8)))
          .isInstanceOf(InvalidAttestationException.class);
    }
  }

  @Test
  void statementAboutAnotherFileIsRefused() {
    assertReason(
        Reason.WRONG_SUBJECT, () -> match().requireAbout(Sha256.hash(file(2).toBytes()), file(2)));
  }

  @Test
  void digestsMustFitEachOtherAndTheFile() throws Exception {
    Proof proof = proof(NONCE);
    List<Sha256> swapped = new ArrayList<>(proof.leaves());
    swapped.addFirst(swapped.removeLast());

    assertReason(
        Reason.WRONG_ROOT,
        () -> statement(Outcome.MATCH, proof, swapped, null).requireAbout(digest, file));
    assertReason(
        Reason.WRONG_ROOT,
        () ->
            statement(Outcome.MATCH, proof, swapped.subList(1, swapped.size()), null)
                .requireAbout(digest, file));
    Proof foreign = Proof.of(file(2), open(file(2)), NONCE);
    assertReason(
        Reason.WRONG_ROOT,
        () -> statement(Outcome.MATCH, foreign, foreign.leaves(), null).requireAbout(digest, file));
    // What reconstructs to the file's digest is no mismatch.
    assertReason(
        Reason.WRONG_ROOT,
        () -> statement(Outcome.MISMATCH, proof, proof.leaves(), null).requireAbout(digest, file));
    statement(
            Outcome.MISMATCH,
            foreign,
            foreign.leaves(),
            new Difference("layer.0", "B", 4 * 16 - 1, "00000000", "3f800000"))
        .requireAbout(digest, file);
    assertReason(
        Reason.INVALID_STATEMENT,
        () ->
            statement(
                    Outcome.MISMATCH,
                    foreign,
                    foreign.leaves(),
                    new Difference("layer.0", "B", 4 * 16, "00000000", "3f800000"))
                .requireAbout(digest, file));
  }

  @Test
  void copiedProofIsRefused() throws Exception {
    Proof copied = proof(NONCE);
    Nonce otherNonce = new Nonce("10".repeat(32));

    assertReason(Reason.WRONG_PROOF, () -> match().requireProof(proof(otherNonce)));
    // A root copied from the file is not enough either: the leaves hash to it, the proof does not.
    assertThat(copied.digest().root()).isEqualTo(file.reconstructionDigest());
    Proof guessed = new Proof(copied.digest(), Sha256.hash(new byte[32]));
    assertReason(
        Reason.WRONG_PROOF,
        () -> statement(Outcome.MATCH, guessed, guessed.leaves(), null).requireProof(copied));
  }

  @Test
  void proofIsTheDigestOverNonceAndFactorsOnEveryKernel() throws Exception {
    Proof proof = proof(NONCE);
    Reconstructor vector = Reconstructor.standard().withKernel(Kernels.vector());
    List<Factors> factors = vector.factors(file.adapter());
    ByteBuffer all = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
    all.put(NONCE.toBytes());
    for (Factors layer : factors) {
      for (float[] factor :
          layer.b() == null ? new float[][] {layer.a()} : new float[][] {layer.a(), layer.b()}) {
        for (float element : factor) {
          all.putFloat(element);
        }
      }
    }
    byte[] bytes = Arrays.copyOf(all.array(), all.position());

    assertThat(proof.proof()).isEqualTo(Sha256.hash(bytes));
    assertThat(proof.digest()).isEqualTo(vector.digest(file.adapter()));
    // As a backend does that gives arrays, not kernels.
    List<Factors> arrays = factors.stream().map(f -> Factors.of(f.layer(), f.a(), f.b())).toList();
    assertThat(Proof.of(file, layer -> arrays.get(file.adapter().layers().indexOf(layer)), NONCE))
        .isEqualTo(proof);
    assertThatThrownBy(() -> new Nonce("00")).isInstanceOf(IllegalArgumentException.class);
    Factors first = factors.getFirst();
    assertThatThrownBy(() -> Factors.of(first.layer(), first.a(), new float[3]))
        .hasMessage("wrong length of factor B of tensor layer.0: 3 elements; must be 64");
  }

  private Statement match() {
    Proof proof = proof(NONCE);
    return statement(Outcome.MATCH, proof, proof.leaves(), null);
  }

  private Statement statement(
      Outcome outcome, Proof proof, List<Sha256> leaves, @Nullable Difference difference) {
    return new Statement(
        digest,
        new Reconstruction(
            outcome,
            "scalar",
            proof.digest().root(),
            leaves,
            NONCE,
            proof.proof(),
            difference,
            "w1",
            Sha256.ofBytes(new byte[32]),
            Map.of("os", "Linux", "arch", "amd64")));
  }

  private Proof proof(Nonce nonce) {
    return Proof.of(file, open(file), nonce);
  }

  private static Function<Layer, Factors> open(AdapterFile file) {
    try {
      return Reconstructor.standard().withKernel(Kernels.scalar()).open(file.adapter());
    } catch (LimitExceededException e) {
      throw new AssertionError(e);
    }
  }

  private static void assertRefused(Reason reason, Envelope envelope) {
    assertReason(reason, () -> KEY.publicKey().open(envelope));
  }

  private static void assertReason(Reason reason, ThrowingCallable check) {
    InvalidAttestationException e = catchThrowableOfType(InvalidAttestationException.class, check);
    assertThat(e).isNotNull();
    assertThat(e.reason()).isEqualTo(reason);
  }

  private static Envelope envelope(String payload, Envelope signed) {
    return new Envelope(payload, signed.payloadType(), signed.signatures());
  }

  private static Envelope envelope(String payload, String keyid, String sig) {
    return new Envelope(
        payload, Statement.PAYLOAD_TYPE, List.of(new Envelope.Signature(keyid, sig)));
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static AdapterFile file(long seed) {
    Codes codes = Codes.of(4, 1, 7, 3, 15, 0, 9, 8, 2);
    try {
      return Reconstructor.standard()
          .seal(
              Adapter.builder()
                  .generator(Generator.UNIFORM8)
                  .seed(seed)
                  .base(new BaseModel("base", "main", null))
                  .metadata(Metadata.of("", "", ""))
                  .layer(
                      Layer.ofMatrix(
                          "layer.0",
                          32,
                          16,
                          0,
                          0x1p-10f,
                          new Coefficients.LowRank(4, codes, codes)))
                  .layer(
                      Layer.ofMatrix("layer.1", 8, 16, 1, 0x1p-10f, new Coefficients.Direct(codes)))
                  .dense(
                      new DenseTensor(
                          "head", DType.F32, List.of(2), MemorySegment.ofArray(new byte[8])))
                  .build());
    } catch (LimitExceededException e) {
      throw new AssertionError(e);
    }
  }
}

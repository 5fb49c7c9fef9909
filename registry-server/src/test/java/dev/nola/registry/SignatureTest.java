package dev.nola.registry;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.io.ByteArrayOutputStream;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Signatures of what is served; {@code interop/hub} verifies them by model-signing itself. */
class SignatureTest extends JobTest {
  private String key() throws Exception {
    Answer answer = admin.with(null).get("/api/v1/signing-key");
    assertThat(answer.header("Content-Type")).isEqualTo("application/x-pem-file");
    return new String(answer.bytes(), US_ASCII);
  }

  /** Verifies a bundle as model-signing does, and returns the signed digests by file name. */
  private Map<String, String> verify(Answer answer, String name) throws Exception {
    assertThat(answer.status()).isEqualTo(200);
    JsonNode bundle = answer.json();
    assertThat(bundle.at("/mediaType").asString())
        .isEqualTo("application/vnd.dev.sigstore.bundle.v0.3+json");
    String pem = key();
    assertThat(bundle.at("/verificationMaterial/publicKey/hint").asString())
        .isEqualTo(Sha256.hash(pem.getBytes(US_ASCII)).hex());
    byte[] payload = Base64.getDecoder().decode(bundle.at("/dsseEnvelope/payload").asString());
    String type = bundle.at("/dsseEnvelope/payloadType").asString();
    assertThat(type).isEqualTo("application/vnd.in-toto+json");
    Signature signature = Signature.getInstance("SHA256withECDSA");
    signature.initVerify(publicKey(pem));
    signature.update(
        "DSSEv1 %d %s %d ".formatted(type.length(), type, payload.length).getBytes(UTF_8));
    signature.update(payload);
    assertThat(
            signature.verify(
                Base64.getDecoder().decode(bundle.at("/dsseEnvelope/signatures/0/sig").asString())))
        .isTrue();

    JsonNode statement = JsonMapper.shared().readTree(payload);
    assertThat(statement.at("/_type").asString()).isEqualTo("https://in-toto.io/Statement/v1");
    assertThat(statement.at("/predicateType").asString())
        .isEqualTo("https://model_signing/signature/v1.0");
    assertThat(statement.at("/subject/0/name").asString()).isEqualTo(name);
    ByteArrayOutputStream digests = new ByteArrayOutputStream();
    Map<String, String> files = new TreeMap<>();
    for (JsonNode resource : statement.at("/predicate/resources")) {
      String digest = resource.at("/digest").asString();
      files.put(resource.at("/name").asString(), digest);
      digests.writeBytes(HexFormat.of().parseHex(digest));
    }
    assertThat(statement.at("/subject/0/digest/sha256").asString())
        .isEqualTo(Sha256.hash(digests.toByteArray()).hex());
    return files;
  }

  private static PublicKey publicKey(String pem) throws Exception {
    byte[] encoded = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
    return KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(encoded));
  }

  @Test
  void fileOfAVersionIsSigned() throws Exception {
    byte[] file = Samples.file(1);
    ann.publish(namespace + "/mood@1.0.0", file);
    ann.put("/api/v1/adapters/" + namespace + "/mood/aliases/prod", Map.of("version", "1.0.0"));
    String versions = "/api/v1/adapters/" + namespace + "/mood/versions/";

    Answer answer = ann.get(versions + "prod/signature");

    assertThat(verify(answer, namespace + "/mood@1.0.0"))
        .isEqualTo(Map.of(".", Sha256.hash(file).hex()));
    Answer pinned = ann.get(versions + "1.0.0/signature");
    assertThat(pinned.bytes()).isEqualTo(answer.bytes());
    assertThat(pinned.header("Cache-Control")).endsWith("no-cache");
    String tag = String.valueOf(pinned.header("ETag"));
    assertThat(ann.get(versions + "1.0.0/signature", "If-None-Match", tag).status()).isEqualTo(304);
    assertThat(ann.get(versions + "9.0.0/signature").status()).isEqualTo(404);
  }

  @Test
  void allOtherFilesOfARepositoryAreSigned() throws Exception {
    ann.publish(namespace + "/mood@1.0.0", Samples.file(1));
    String files = "/hf/" + namespace + "/mood/resolve/main/";

    Map<String, String> signed = verify(ann.get(files + "model.sig"), namespace + "/mood@1.0.0");

    assertThat(signed.keySet())
        .containsExactly(
            "README.md", "adapter.nola", "adapter_config.json", "adapter_model.safetensors");
    for (Map.Entry<String, String> file : signed.entrySet()) {
      assertThat(Sha256.hash(ann.get(files + file.getKey()).bytes()).hex())
          .as(file.getKey())
          .isEqualTo(file.getValue());
    }
  }

  @Test
  void exportedArchiveIsSigned() throws Exception {
    ann.publish(namespace + "/mood@1.0.0", Samples.file(1));
    String adapter = namespace + "/mood";
    String id =
        ann.post(
                JOBS,
                Map.of("type", "export", "export", Map.of("adapter", adapter, "version", "1.0.0")))
            .text("/id");
    String signature = JOBS + "/" + id + "/result/signature";
    assertThat(ann.get(signature).status()).isEqualTo(404);
    byte[] archive = "an archive".getBytes(US_ASCII);
    Map<String, Object> exporter = trainer("w");
    exporter.put("types", List.of("export"));
    JsonNode lease = lease(worker, exporter).at("/leases/0");
    put(id, "result", lease.at("/fence").asLong(), archive);

    assertThat(verify(ann.get(signature), adapter + "@1.0.0.zip"))
        .isEqualTo(Map.of(".", Sha256.hash(archive).hex()));
    assertThat(admin.account("eve", "read").get(signature).status()).isEqualTo(404);
  }

  @Test
  void resultOfATrainingIsNotSigned() throws Exception {
    String id = submit("1.0.0");

    assertThat(ann.get(JOBS + "/" + id + "/result/signature").refusal()).isEqualTo("404 not-found");
  }

  @Test
  void keyCanBeGiven() throws Exception {
    String pem =
        """
        -----BEGIN PRIVATE KEY-----
        MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCDJr6nYRbp1FmtcIVdn
        sdaTTlDD2zbomxJ7imIrEg9nIQ==
        -----END PRIVATE KEY-----
        """;
    try (TestRegistry other = TestRegistry.start("nola.signing.key=" + pem)) {
      String known =
          new String(other.anonymous().get("/api/v1/signing-key").bytes(), US_ASCII)
              .lines()
              .filter(line -> !line.startsWith("-"))
              .collect(Collectors.joining());
      // The public half of the key in RFC 6979, A.2.5.
      assertThat(HexFormat.of().withUpperCase().formatHex(Base64.getDecoder().decode(known)))
          .endsWith(
              "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
                  + "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299");
    }
  }
}

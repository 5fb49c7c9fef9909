package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Blobs that were damaged or deleted on disk: no byte of them leaves the server. */
class DamageTest {
  private static TestRegistry registry;

  private TestClient admin = registry.admin();
  private byte[] file = {};
  private String version = "";
  private String path = "";

  @BeforeAll
  static void start() throws Exception {
    registry = TestRegistry.start();
  }

  @AfterAll
  static void stop() {
    registry.close();
  }

  @BeforeEach
  void publish() throws Exception {
    String namespace = admin.namespace();
    file = Samples.file(namespace.hashCode());
    version = namespace + "/mood@1.0.0";
    path = "/api/v1/adapters/" + version.replace("@", "/versions/") + "/file";
    assertThat(admin.publish(version, file).status()).isEqualTo(201);
  }

  private Path blob() {
    String hex = Sha256.hash(file).hex();
    return registry
        .data()
        .resolve("blobs/sha256")
        .resolve(hex.substring(0, 2))
        .resolve(hex.substring(2, 4))
        .resolve(hex);
  }

  private void flipByte() throws Exception {
    byte[] bytes = Files.readAllBytes(blob());
    bytes[bytes.length / 2] ^= 1;
    Files.write(blob(), bytes);
  }

  private void assertRefused() throws Exception {
    for (String range : new String[] {"bytes=0-", "bytes=0-9"}) {
      Answer answer = admin.get(path, "Range", range);
      assertThat(answer.refusal()).isEqualTo("500 damaged-blob");
      assertThat(answer.header("Repr-Digest")).isNull();
      assertThat(String.valueOf(answer.header("Cache-Control"))).doesNotContain("immutable");
    }
    assertThat(admin.get(path).text("/detail")).contains(Sha256.hash(file).toString());
    assertThat(admin.head(path).status()).isEqualTo(500);
  }

  private void assertKnownDamage(int count) throws Exception {
    assertThat(new String(admin.get("/actuator/prometheus").bytes(), StandardCharsets.UTF_8))
        .containsPattern("(?m)^nola_blobs_damaged(\\{.*})? " + count + "\\.0$");
    JsonNode details =
        admin.get("/actuator/health/readiness").json().at("/components/blobs/details");
    assertThat(details.at("/damaged").asInt(-1)).isEqualTo(count);
    assertThat(details.at("/examples")).hasSize(count);
    Answer anonymous = registry.anonymous().get("/actuator/health/readiness");
    assertThat(anonymous.status()).isEqualTo(200);
    assertThat(anonymous.json().has("components")).isFalse();
  }

  @Test
  void flippedByte_isRefusedUntilTheBytesArePublishedAgain() throws Exception {
    assertThat(admin.get(path).bytes()).isEqualTo(file); // also a verdict that must not last
    flipByte();

    assertRefused();
    assertKnownDamage(1);
    assertThat(admin.post("/api/v1/admin/scrub", "").json().at("/corrupt")).hasSize(1);

    assertThat(admin.publish(version, file).status()).isEqualTo(200);
    assertThat(admin.get(path).bytes()).isEqualTo(file);
    assertKnownDamage(0);
    assertThat(admin.post("/api/v1/admin/scrub", "").json().at("/corrupt")).isEmpty();
  }

  @Test
  void damageThatKeepsTheModificationTime_isFoundByAScrubAndRefusedFromThenOn() throws Exception {
    assertThat(admin.get(path).status()).isEqualTo(200);
    FileTime time = Files.getLastModifiedTime(blob());
    flipByte();
    Files.setLastModifiedTime(blob(), time);

    assertThat(admin.post("/api/v1/admin/scrub", "").json().at("/corrupt")).hasSize(1);

    assertRefused();
    assertThat(admin.publish(version, file).status()).isEqualTo(200);
    assertKnownDamage(0);
  }

  @Test
  void deletedBlob_isRefusedAndFoundByAScrub() throws Exception {
    Files.delete(blob());

    assertRefused();
    assertKnownDamage(1);
    JsonNode scrub = admin.post("/api/v1/admin/scrub", "").json();
    assertThat(scrub.at("/missing/0").asString()).isEqualTo(Sha256.hash(file).toString());
    assertThat(scrub.at("/missing")).hasSize(1);
    assertThat(scrub.at("/corrupt")).isEmpty();

    assertThat(admin.publish(version, file).status()).isEqualTo(200);
    assertKnownDamage(0);
    assertThat(admin.post("/api/v1/admin/scrub", "").json().at("/missing")).isEmpty();
  }
}

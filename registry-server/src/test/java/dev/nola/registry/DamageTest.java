package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.net.Socket;
import java.net.SocketException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Blobs that were damaged or deleted on disk: no byte of them leaves the server. */
class DamageTest {
  /** More than the server hashes before it sends the first byte. */
  private static final int LARGE = (64 << 20) + 1;

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
    return blob(file);
  }

  private static Path blob(byte[] bytes) {
    String hex = Sha256.hash(bytes).hex();
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
    assertThat(details.at("/examples").valueStream().map(JsonNode::asString))
        .hasSize(count)
        .allMatch(digest -> digest.matches("sha256:[0-9a-f]{64}"));
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
    assertThat(admin.get(path).bytes()).isEqualTo(file);
    assertKnownDamage(0);
  }

  @Test
  void largeFileDamagedInTheMiddle_isCutOffAndRefusedFromThenOn() throws Exception {
    byte[] large = new byte[LARGE];
    new Random(1).nextBytes(large);
    String object = upload(large);
    assertThat(admin.get(object).bytes()).isEqualTo(large);
    try (RandomAccessFile stored = new RandomAccessFile(blob(large).toFile(), "rw")) {
      stored.seek(LARGE / 2);
      stored.write(large[LARGE / 2] ^ 1);
    }

    assertThatThrownBy(() -> admin.get(object)).isInstanceOf(IOException.class);
    assertThat(admin.get(object).refusal()).isEqualTo("500 damaged-blob");
    assertKnownDamage(1);

    upload(large);
    assertThat(admin.get(object).bytes()).isEqualTo(large);
    assertKnownDamage(0);
  }

  @Test
  void largeFileCutWhileItIsSent_endsWithTheConnection() throws Exception {
    byte[] large = new byte[LARGE];
    new Random(2).nextBytes(large);
    String object = upload(large);

    ByteArrayOutputStream received = new ByteArrayOutputStream();
    try (Socket socket = new Socket("127.0.0.1", registry.port())) {
      socket.setSoTimeout(10_000); // less than a connection is kept for the next request
      socket
          .getOutputStream()
          .write(
              "GET %s HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n\r\n"
                  .formatted(object, TestRegistry.ADMIN)
                  .getBytes(StandardCharsets.US_ASCII));
      InputStream answer = socket.getInputStream();
      String head = new String(answer.readNBytes(4096), StandardCharsets.ISO_8859_1);
      assertThat(head).startsWith("HTTP/1.1 200").contains("Content-Length: " + LARGE);
      try (RandomAccessFile stored = new RandomAccessFile(blob(large).toFile(), "rw")) {
        stored.setLength(LARGE / 2); // more than the buffers of a connection hold
      }
      received.writeBytes(
          head.substring(head.indexOf("\r\n\r\n") + 4).getBytes(StandardCharsets.ISO_8859_1));
      answer.transferTo(received);
    } catch (SocketException _) {
      // reset
    }

    // A client that continues where the connection ended must not have anything else, too.
    assertThat(received.size()).isLessThan(LARGE);
    assertThat(received.toByteArray()).isEqualTo(Arrays.copyOf(large, received.size()));
    assertThat(admin.get(object).refusal()).isEqualTo("500 damaged-blob");
    upload(large);
    assertThat(admin.get(object).bytes()).isEqualTo(large);
    assertKnownDamage(0);
  }

  private String upload(byte[] bytes) throws Exception {
    String namespace = version.substring(0, version.indexOf('/'));
    String object = "/api/v1/datasets/%s/large/files/%s".formatted(namespace, Sha256.hash(bytes));
    Answer answer =
        admin.send(
            "PUT",
            object,
            BodyPublishers.ofByteArray(bytes),
            "Content-Type",
            "application/octet-stream");
    assertThat(answer.status()).isIn(200, 201);
    return object;
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
    assertThat(admin.post("/api/v1/admin/scrub", "").json().at("/missing")).isEmpty();
    assertKnownDamage(0);
  }
}

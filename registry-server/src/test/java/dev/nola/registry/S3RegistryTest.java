package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.registry.blobs.S3Server;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.S3Object;
import tools.jackson.databind.JsonNode;

/** A server whose blobs are in a bucket. */
class S3RegistryTest {
  private static final String BUCKET = S3Server.shared().bucket();

  private static TestRegistry registry;

  private final TestClient admin = registry.admin();
  private byte[] file = {};
  private String path = "";

  @BeforeAll
  static void start() throws Exception {
    registry = TestRegistry.start(settings(BUCKET));
  }

  @AfterAll
  static void stop() {
    registry.close();
  }

  @BeforeEach
  void publish() throws Exception {
    String namespace = admin.namespace();
    file = Samples.file(namespace.hashCode());
    path = "/api/v1/adapters/" + namespace + "/mood/versions/1.0.0";
    assertThat(admin.publish(namespace + "/mood@1.0.0", file).status()).isEqualTo(201);
  }

  private static String[] settings(String bucket, String... others) {
    List<String> settings = new ArrayList<>(List.of(others));
    settings.add("nola.blobs.s3.bucket=" + bucket);
    settings.add("nola.blobs.s3.endpoint=" + S3Server.shared().endpoint());
    settings.add("nola.blobs.s3.path-style=true");
    return settings.toArray(String[]::new);
  }

  /** Keys of the objects with the bytes of the version. */
  private List<String> keys() {
    return S3Server.shared()
        .client()
        .listObjectsV2(
            request -> request.bucket(BUCKET).prefix("sha256/" + Sha256.hash(file).hex()))
        .contents()
        .stream()
        .map(S3Object::key)
        .toList();
  }

  @Test
  void versionIsStoredInTheBucketAlone() throws Exception {
    assertThat(keys()).hasSize(1);
    assertThat(admin.get(path + "/file").bytes()).isEqualTo(file);
    assertThat(admin.get(path + "/file", "Range", "bytes=10-19").bytes())
        .isEqualTo(Arrays.copyOfRange(file, 10, 20));
    assertThat(registry.blobFiles()).isEmpty();
    assertThat(registry.data().resolve("blobs/sha256")).doesNotExist();
    assertThat(admin.get("/actuator/health/readiness").status()).isEqualTo(200);
  }

  @Test
  void otherServerOfTheBucketHasTheVersion() throws Exception {
    try (TestRegistry other =
        TestRegistry.start(
            registry.database(), Files.createTempDirectory("nola-other"), settings(BUCKET))) {
      assertThat(other.admin().get(path + "/file").bytes()).isEqualTo(file);
    }
  }

  @Test
  void oldObjectIsCollectedOnceItsVersionIsDeleted() throws Exception {
    makeOld(keys().getFirst());
    admin.post("/api/v1/admin/collect-garbage", "");
    assertThat(admin.get(path + "/file").bytes()).as("referred to").isEqualTo(file);

    assertThat(admin.delete(path).status()).isEqualTo(204);
    JsonNode collected = admin.post("/api/v1/admin/collect-garbage", "").json();

    assertThat(collected.at("/blobs").asInt()).isEqualTo(1);
    assertThat(keys()).isEmpty();
  }

  /** Replaces an object by one that was committed years ago. */
  private static void makeOld(String key) {
    String old = key.replaceFirst("/[0-9T.]+Z-", "/20200101T000000.000000Z-");
    S3Server.shared()
        .client()
        .copyObject(
            request ->
                request
                    .sourceBucket(BUCKET)
                    .sourceKey(key)
                    .destinationBucket(BUCKET)
                    .destinationKey(old));
    S3Server.shared().client().deleteObject(request -> request.bucket(BUCKET).key(key));
  }

  @Test
  void damagedAndMissingObjectsAreFoundByAScrub() throws Exception {
    S3Server.shared()
        .client()
        .putObject(
            request -> request.bucket(BUCKET).key(keys().getFirst()),
            RequestBody.fromString("other bytes"));

    assertThat(admin.post("/api/v1/admin/scrub", "").json().at("/corrupt")).hasSize(1);
    assertThat(admin.get(path + "/file").refusal()).isEqualTo("500 damaged-blob");

    S3Server.shared()
        .client()
        .deleteObject(request -> request.bucket(BUCKET).key(keys().getFirst()));
    assertThat(admin.post("/api/v1/admin/scrub", "").json().at("/missing")).hasSize(1);

    String version = path.substring("/api/v1/adapters/".length()).replace("/versions/", "@");
    assertThat(admin.publish(version, file).status()).isEqualTo(200);
    assertThat(admin.get(path + "/file").bytes()).isEqualTo(file);
  }
}

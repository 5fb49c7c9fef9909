package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import dev.nola.command.Console;
import dev.nola.command.ExitCode;
import dev.nola.digest.Sha256;
import dev.nola.registry.blobs.S3Server;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.util.FileSystemUtils;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.S3Object;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

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
  void presignedDownloadIsRedirectedToTheBucketAfterAuthorization(@TempDir Path folder)
      throws Exception {
    String hidden = admin.namespace() + "/hidden";
    assertThat(admin.publishPrivate(hidden + "@1.0.0", file).status()).isEqualTo(201);
    try (TestRegistry other =
            TestRegistry.start(
                registry.database(),
                Files.createTempDirectory("nola-other"),
                settings(BUCKET, "nola.blobs.s3.presigned=5m"));
        NolaClient client =
            NolaClient.builder(URI.create("http://127.0.0.1:" + other.port()))
                .token(TestRegistry.ADMIN)
                .cache(LocalCache.at(folder))
                .build()) {
      String path = "/api/v1/adapters/" + hidden + "/versions/1.0.0/file";
      TestClient.Answer answer = other.admin().get(path);
      assertThat(answer.status()).isEqualTo(307);
      assertThat(answer.header("Cache-Control")).isEqualTo("no-store");
      assertThat(answer.header("Nola-Version")).isEqualTo("1.0.0");
      assertThat(answer.header("Repr-Digest")).startsWith("sha-256=:");
      String url = String.valueOf(answer.header("Location"));
      assertThat(url)
          .startsWith(S3Server.shared().endpoint() + "/" + BUCKET + "/sha256/")
          .contains("X-Amz-Expires=300");
      assertThat(download(url)).isEqualTo(file);

      assertThat(other.anonymous().get(path).status()).as("not authorized").isEqualTo(404);
      assertThat(other.admin().get(path, "If-None-Match", answer.header("ETag")).status())
          .isEqualTo(304);
      assertThat(other.admin().get(path, "Range", "bytes=999999999-").status()).isEqualTo(416);
      assertThat(other.admin().head(path).header("Content-Length")).isEqualTo("" + file.length);

      Pulled pulled = client.pull(Reference.parse(hidden + "@^1"), Progress.NONE);
      assertThat(pulled.version()).isEqualTo("1.0.0");
      assertThat(pulled.path()).hasBinaryContent(file);
    }
  }

  private static byte[] download(String url) throws IOException {
    try (InputStream bytes = URI.create(url).toURL().openStream()) {
      return bytes.readAllBytes();
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

  @Test
  void registryMovesFromItsFolderToABucketWhileItServes() throws Exception {
    String bucket = S3Server.shared().bucket();
    TestRegistry before = TestRegistry.start();
    TestClient client = before.admin();
    String adapter = client.namespace() + "/mood";
    byte[] first = Samples.file(1);
    byte[] second = Samples.file(2);
    assertThat(client.publish(adapter + "@1.0.0", first).status()).isEqualTo(201);
    assertCopied(before, bucket, 1, 0);
    assertThat(client.publish(adapter + "@2.0.0", second).status()).isEqualTo(201);
    assertCopied(before, bucket, 1, 1);
    before.closeKeepingData();
    FileSystemUtils.deleteRecursively(before.data().resolve("blobs"));

    try (TestRegistry after =
        TestRegistry.start(before.database(), before.data(), settings(bucket))) {
      String versions = "/api/v1/adapters/" + adapter + "/versions/";
      assertThat(after.admin().get(versions + "1.0.0/file").bytes()).isEqualTo(first);
      assertThat(after.admin().get(versions + "2.0.0/file").bytes()).isEqualTo(second);
      JsonNode scrub = after.admin().post("/api/v1/admin/scrub", "").json();
      assertThat(scrub.at("/checked").asInt()).isEqualTo(2);
      assertThat(scrub.at("/missing")).isEmpty();
    }
  }

  private static void assertCopied(TestRegistry registry, String bucket, int copied, int present) {
    StringWriter out = new StringWriter();
    int exitCode = execute(out, registry.data(), settings(bucket));
    assertThat(exitCode).as(out.toString()).isEqualTo(ExitCode.OK);
    JsonNode result = JsonMapper.shared().readTree(out.toString()).at("/result");
    assertThat(result.at("/copied").asInt(-1)).isEqualTo(copied);
    assertThat(result.at("/present").asInt(-1)).isEqualTo(present);
  }

  /** Runs {@code nola blobs copy --json}. */
  private static int execute(StringWriter out, Path data, String... settings) {
    List<String> arguments = new ArrayList<>(List.of("blobs", "copy", "--json", "--data"));
    arguments.add(data.toString());
    Stream.of(settings).forEach(setting -> arguments.addAll(List.of("--set", setting)));
    Console console =
        new Console(
            new PrintWriter(out, true),
            new PrintWriter(new StringWriter()),
            InputStream.nullInputStream(),
            Map.of(),
            false);
    return new RegistryMain.Program(console).execute(arguments.toArray(String[]::new));
  }

  @Test
  void copyNamesWhatItsSettingsLack(@TempDir Path folder) {
    StringWriter noBlobs = new StringWriter();
    assertThat(execute(noBlobs, folder, settings(BUCKET))).isEqualTo(ExitCode.REFUSED);
    assertThat(noBlobs.toString())
        .contains("blobs cannot be copied: no blobs in " + folder.resolve("blobs"));

    StringWriter noBucket = new StringWriter();
    assertThat(execute(noBucket, registry.data())).isEqualTo(ExitCode.REFUSED);
    assertThat(noBucket.toString()).contains("nola.blobs.s3.bucket missing");
    assertThat(folder).as("nothing was created").isEmptyDirectory();
  }
}

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
import dev.nola.registry.blobs.FaultyProxy;
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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.S3Object;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A server whose blobs are in a bucket, to which it redirects downloads of versions. */
class S3RegistryTest {
  private static final String BUCKET = S3Server.shared().bucket();

  private static FaultyProxy proxy;
  private static TestRegistry registry;

  private final TestClient admin = registry.admin();
  private String adapter = "";
  private byte[] file = {};

  /** Redirects to the file. */
  private String redirecting = "";

  /** Sends the file through the server. */
  private String sending = "";

  @BeforeAll
  static void start() throws Exception {
    proxy = new FaultyProxy(S3Server.shared().endpoint());
    List<String> settings = new ArrayList<>(settings(BUCKET, proxy.endpoint()));
    settings.add("nola.blobs.s3.presigned=5m");
    registry = TestRegistry.start(settings.toArray(String[]::new));
  }

  @AfterAll
  static void stop() throws IOException {
    registry.close();
    proxy.close();
  }

  @BeforeEach
  void publish() throws Exception {
    String namespace = admin.namespace();
    adapter = namespace + "/mood";
    file = Samples.file(namespace.hashCode());
    redirecting = "/api/v1/adapters/" + adapter + "/versions/1.0.0/file";
    sending = "/hf/" + adapter + "/resolve/main/adapter.nola";
    assertThat(admin.publish(adapter + "@1.0.0", file).status()).isEqualTo(201);
  }

  private static List<String> settings(String bucket, URI endpoint) {
    return List.of(
        "nola.blobs.s3.bucket=" + bucket,
        "nola.blobs.s3.endpoint=" + endpoint,
        "nola.blobs.s3.path-style=true");
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
    assertThat(admin.get(sending).bytes()).isEqualTo(file);
    assertThat(admin.get(sending, "Range", "bytes=10-19").bytes())
        .isEqualTo(Arrays.copyOfRange(file, 10, 20));
    assertThat(registry.blobFiles()).isEmpty();
    assertThat(registry.data().resolve("blobs/sha256")).doesNotExist();
    assertThat(admin.get("/actuator/health/readiness").status()).isEqualTo(200);
  }

  @Test
  void downloadIsRedirectedToTheBucketAfterAuthorization(@TempDir Path folder) throws Exception {
    String hidden = admin.namespace() + "/hidden";
    assertThat(admin.publishPrivate(hidden + "@1.0.0", file).status()).isEqualTo(201);
    String path = "/api/v1/adapters/" + hidden + "/versions/1.0.0/file";

    TestClient.Answer answer = admin.get(path);
    assertThat(answer.status()).isEqualTo(307);
    assertThat(answer.header("Cache-Control")).isEqualTo("no-store");
    assertThat(answer.header("Nola-Version")).isEqualTo("1.0.0");
    assertThat(answer.header("Repr-Digest")).startsWith("sha-256=:");
    String url = String.valueOf(answer.header("Location"));
    assertThat(url)
        .startsWith(proxy.endpoint() + "/" + BUCKET + "/sha256/")
        .contains("X-Amz-Expires=300");
    assertThat(download(url)).isEqualTo(file);

    assertThat(registry.anonymous().get(path).status()).as("not authorized").isEqualTo(404);
    assertThat(admin.get(path, "If-None-Match", answer.header("ETag")).status()).isEqualTo(304);
    assertThat(admin.get(path, "Range", "bytes=999999999-").status()).isEqualTo(416);
    assertThat(admin.head(path).header("Content-Length")).isEqualTo("" + file.length);

    try (NolaClient client =
        NolaClient.builder(URI.create("http://127.0.0.1:" + registry.port()))
            .token(TestRegistry.ADMIN)
            .cache(LocalCache.at(folder))
            .build()) {
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
    assertThat(admin.get(sending).bytes()).as("referred to").isEqualTo(file);

    assertThat(admin.delete(redirecting.replace("/file", "")).status()).isEqualTo(204);
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
    assertThat(admin.get(redirecting).refusal())
        .as("not redirected to damaged bytes")
        .isEqualTo("500 damaged-blob");

    S3Server.shared()
        .client()
        .deleteObject(request -> request.bucket(BUCKET).key(keys().getFirst()));
    assertThat(admin.post("/api/v1/admin/scrub", "").json().at("/missing")).hasSize(1);

    assertThat(admin.publish(adapter + "@1.0.0", file).status()).isEqualTo(200);
    assertThat(admin.get(redirecting).bytes()).as("read by the server first").isEqualTo(file);
    assertThat(admin.get(redirecting).status()).isEqualTo(307);
  }

  @ParameterizedTest
  @EnumSource(names = {"ERROR", "RESET"})
  void requestsThatNeedABucketThatFailsAre503(FaultyProxy.Fault fault) throws Exception {
    proxy.plan(fault, ".", Integer.MAX_VALUE);
    try {
      assertUnavailable(admin.get(redirecting));
      assertUnavailable(admin.publish(adapter + "@2.0.0", Samples.file(adapter.hashCode())));
      assertThat(admin.get("/actuator/health/readiness").status()).isEqualTo(503);
    } finally {
      proxy.recover();
    }
    assertThat(admin.get(sending).bytes()).isEqualTo(file);
    assertThat(admin.publish(adapter + "@2.0.0", Samples.file(adapter.hashCode())).status())
        .as("nothing was published before")
        .isEqualTo(201);
  }

  private static void assertUnavailable(TestClient.Answer answer) {
    assertThat(answer.refusal()).isEqualTo("503 unavailable");
    assertThat(answer.header("Retry-After")).isEqualTo("5");
    assertThat(answer.text("/detail")).isEqualTo("file storage unavailable; try again later");
  }

  /** As if the registry had begun with the folder. */
  @Test
  void blobsThatWereCopiedFromAFolderAreServed(@TempDir Path folder) throws Exception {
    String hex = Sha256.hash(file).hex();
    Path shard = folder.resolve("blobs", "sha256", hex.substring(0, 2), hex.substring(2, 4));
    Files.write(Files.createDirectories(shard).resolve(hex), file);
    S3Server.shared()
        .client()
        .deleteObject(request -> request.bucket(BUCKET).key(keys().getFirst()));

    assertCopied(folder, 1, 0);
    assertCopied(folder, 0, 1);

    assertThat(admin.get(sending).bytes()).isEqualTo(file);
  }

  private static void assertCopied(Path folder, int copied, int present) {
    StringWriter out = new StringWriter();
    int exitCode = execute(out, folder, settings(BUCKET, S3Server.shared().endpoint()));
    assertThat(exitCode).as(out.toString()).isEqualTo(ExitCode.OK);
    JsonNode result = JsonMapper.shared().readTree(out.toString()).at("/result");
    assertThat(result.at("/copied").asInt(-1)).isEqualTo(copied);
    assertThat(result.at("/present").asInt(-1)).isEqualTo(present);
  }

  /** Runs {@code nola blobs copy --json}. */
  private static int execute(StringWriter out, Path data, List<String> settings) {
    List<String> arguments = new ArrayList<>(List.of("blobs", "copy", "--json", "--data"));
    arguments.add(data.toString());
    settings.forEach(setting -> arguments.addAll(List.of("--set", setting)));
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
    assertThat(execute(noBlobs, folder, settings(BUCKET, proxy.endpoint())))
        .isEqualTo(ExitCode.REFUSED);
    assertThat(noBlobs.toString())
        .contains("blobs cannot be copied: no blobs in " + folder.resolve("blobs"));

    StringWriter noBucket = new StringWriter();
    assertThat(execute(noBucket, registry.data(), List.of())).isEqualTo(ExitCode.REFUSED);
    assertThat(noBucket.toString()).contains("nola.blobs.s3.bucket missing");
    assertThat(folder).as("nothing was created").isEmptyDirectory();
  }
}

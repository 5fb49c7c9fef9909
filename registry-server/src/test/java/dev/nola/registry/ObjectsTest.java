package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ObjectsTest {
  private final TestRegistry registry = TestRegistry.shared();
  private final TestClient admin = registry.admin();
  private TestClient ann = admin;
  private String namespace = "";

  @BeforeEach
  void createNamespace() throws Exception {
    ann = admin.account("objects-ann", "publish");
    namespace = ann.namespace();
  }

  @Test
  void revisionIsTheDigestThatItsRecordDescribes() throws Exception {
    // From the text of ObjectManifest alone.
    ByteArrayOutputStream hashed = new ByteArrayOutputStream();
    hashed.writeBytes("nola-object".getBytes(StandardCharsets.UTF_8));
    for (String path : List.of("B.txt", "a/b.txt")) {
      byte[] content = (path + "!").getBytes(StandardCharsets.UTF_8);
      hashed.writeBytes(
          ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(path.length()).array());
      hashed.writeBytes(path.getBytes(StandardCharsets.UTF_8));
      hashed.writeBytes(
          ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(content.length).array());
      hashed.writeBytes(Sha256.hash(content).toBytes());
    }

    String revision =
        TestObjects.putDataset(
            ann, namespace + "/glosses", Map.of("a/b.txt", "a/b.txt!", "B.txt", "B.txt!"));

    assertThat(revision).isEqualTo(Sha256.hash(hashed.toByteArray()).toString());
  }

  @Test
  void fileThatIsAnothersFolder_isRefused() throws Exception {
    String path = "/api/v1/models/" + namespace + "/odd";

    Answer answer = ann.put(path, TestObjects.manifest(Map.of("x", "1", "x/y", "2", "x-z", "3")));

    assertThat(answer.refusal()).isEqualTo("422 invalid");
    assertThat(answer.text("/detail"))
        .isEqualTo("conflicting paths: x and x/y; a file must not be another's folder");
    assertThat(
            ann.put(path, TestObjects.manifest(Map.of("x/y", "1", "x/z", "2", "x.y", "3")))
                .status())
        .isEqualTo(201);
  }

  @Test
  void sizesThatOverflowTogether_areRefused() throws Exception {
    List<Map<String, Object>> files = new ArrayList<>();
    for (String path : List.of("a", "b", "c")) {
      files.add(Map.of("path", path, "size", Long.MAX_VALUE / 2, "digest", TestObjects.digest("")));
    }

    Answer answer =
        ann.put("/api/v1/models/" + namespace + "/vast", Map.of("description", "", "files", files));

    assertThat(answer.refusal()).isEqualTo("422 invalid");
    assertThat(answer.text("/detail"))
        .isEqualTo("files too large; all together may have 2^50 bytes");
  }

  @Test
  void sameManifestIsTheSameRevisionAndTheLatestIsTheLastMade() throws Exception {
    String name = namespace + "/glosses";
    String path = "/api/v1/datasets/" + name;
    String first = TestObjects.putDataset(ann, name, Map.of("a.txt", "one"));
    String second = TestObjects.putDataset(ann, name, Map.of("a.txt", "two"));

    Answer again = ann.put(path, TestObjects.manifest(Map.of("a.txt", "one")));

    assertThat(again.status()).isEqualTo(200);
    assertThat(again.text("/revision")).isEqualTo(first);
    assertThat(ann.get(path).text("/revision")).isEqualTo(second);
    assertThat(ann.get(path + "/revisions/" + first).json().at("/files/0/digest").asString())
        .isEqualTo(TestObjects.digest("one"));
    assertThat(ann.get(path + "/files/" + TestObjects.digest("one")).bytes())
        .isEqualTo("one".getBytes(StandardCharsets.UTF_8));
    TestObjects.putDataset(ann, namespace + "/also", Map.of("b", "b"));
    Answer page = ann.get("/api/v1/datasets?limit=1&namespace=" + namespace);
    assertThat(page.text("/items/0/name")).isEqualTo("also");
    Answer rest =
        ann.get(
            "/api/v1/datasets?limit=1&namespace=" + namespace + "&cursor=" + page.text("/next"));
    assertThat(rest.text("/items/0/revision")).isEqualTo(second);
    assertThat(rest.json().at("/next").isNull()).isTrue();
    assertThat(ann.get("/api/v1/models/" + name).status()).isEqualTo(404);
  }

  @Test
  void datasetNeedsItsFilesAndAModelDoesNot() throws Exception {
    Map<String, Object> manifest = TestObjects.manifest(Map.of("a", "here", "b", "elsewhere"));
    TestObjects.upload(ann, "models/" + namespace + "/big", "here");

    Answer dataset = ann.put("/api/v1/datasets/" + namespace + "/big", manifest);
    Answer model = ann.put("/api/v1/models/" + namespace + "/big", manifest);

    assertThat(dataset.refusal()).isEqualTo("422 invalid");
    assertThat(dataset.json().at("/violations")).hasSize(1);
    assertThat(dataset.text("/detail")).contains("file not uploaded: ").contains("b with digest");
    assertThat(model.status()).isEqualTo(201);
    assertThat(model.json().at("/stored").asBoolean()).isFalse();
    TestObjects.upload(ann, "models/" + namespace + "/big", "elsewhere");
    Answer again = ann.put("/api/v1/models/" + namespace + "/big", manifest);
    assertThat(again.status()).isEqualTo(200);
    assertThat(again.json().at("/stored").asBoolean()).isTrue();
  }

  @Test
  void bytesOfAnotherNamespaceCannotBeNamed() throws Exception {
    TestClient bob = admin.account("objects-bob", "publish");
    String his = bob.namespace();
    TestObjects.putDataset(ann, namespace + "/private", Map.of("a", "secret of ann"));

    Answer stolen =
        bob.put(
            "/api/v1/datasets/" + his + "/mine",
            TestObjects.manifest(Map.of("a", "secret of ann")));

    assertThat(stolen.refusal()).isEqualTo("422 invalid");
    assertThat(bob.get("/api/v1/datasets/" + namespace + "/private").refusal())
        .isEqualTo("404 not-found");
    String file = "/files/" + TestObjects.digest("secret of ann");
    assertThat(bob.get("/api/v1/datasets/" + namespace + "/private" + file).refusal())
        .isEqualTo("404 not-found");
    assertThat(bob.get("/api/v1/datasets/" + his + "/mine" + file).refusal())
        .isEqualTo("404 not-found");
    for (String kind : List.of("datasets", "models")) {
      for (String hidden : List.of(namespace, "absent")) {
        Answer list = bob.get("/api/v1/" + kind + "?namespace=" + hidden);
        assertThat(list.status()).as(kind).isEqualTo(200);
        assertThat(list.json().at("/items")).as(kind).isEmpty();
      }
    }
    TestClient worker = admin.account("objects-worker", "worker");
    assertThat(worker.get("/api/v1/datasets/" + namespace + "/private" + file).status())
        .isEqualTo(200);
  }

  @Test
  void everyBrokenRuleOfAManifestIsNamed() throws Exception {
    Answer answer =
        ann.put(
            "/api/v1/datasets/" + namespace + "/bad",
            Map.of(
                "files",
                List.of(
                    Map.of("path", "../etc/passwd", "size", 1, "digest", TestObjects.digest("a")),
                    Map.of("path", "a", "size", -1, "digest", TestObjects.digest("a")),
                    Map.of("path", "a", "size", 1, "digest", TestObjects.digest("b")),
                    Map.of("path", ".hidden", "size", 1, "digest", TestObjects.digest("a")))));

    assertThat(answer.refusal()).isEqualTo("422 invalid");
    assertThat(answer.json().at("/violations")).hasSize(4);
    assertThat(
            ann.put(
                    "/api/v1/datasets/" + namespace + "/Bad",
                    TestObjects.manifest(Map.of("a", "a")))
                .refusal())
        .isEqualTo("422 invalid");
  }

  @Test
  void invalidDigestOfAManifest_isRefusedWithItsFieldAndTheRule() throws Exception {
    for (Object digest : List.of("md5:1", "", 5)) {
      Answer answer =
          ann.put(
              "/api/v1/datasets/" + namespace + "/bad",
              Map.of("files", List.of(Map.of("path", "a", "size", 1, "digest", digest))));

      assertThat(answer.refusal()).isEqualTo("422 invalid");
      assertThat(answer.text("/violations/0/field")).isEqualTo("files.digest");
      assertThat(answer.text("/detail"))
          .startsWith(
              digest.equals("")
                  ? "files[0].digest is an empty string"
                  : "invalid files[0].digest: " + digest)
          .contains("; must be sha256: and 64 hexadecimal digits");
    }
  }

  @Test
  void uploadMustHaveItsDigestAndFitTheQuota() throws Exception {
    String object = "datasets/" + namespace + "/d";
    Answer wrong = TestObjects.upload(ann, object, TestObjects.digest("a"), "b");
    assertThat(wrong.refusal()).isEqualTo("422 wrong-digest");
    assertThat(TestObjects.upload(ann, object, "a").status()).isEqualTo(201);
    assertThat(TestObjects.upload(ann, object, "a").status()).isEqualTo(200);

    int size = Samples.file(1).length;
    try (TestRegistry small =
        TestRegistry.start(
            "nola.catalog.namespace-quota=" + (size + 10) + "B",
            "nola.objects.max-file-size=100B")) {
      String smallNamespace = small.admin().namespace();
      assertThat(
              TestObjects.upload(
                      small.admin(), "datasets/" + smallNamespace + "/d", "x".repeat(101))
                  .refusal())
          .isEqualTo("413 too-large");
      assertThat(
              TestObjects.upload(small.admin(), "datasets/" + smallNamespace + "/d", "0123456789a")
                  .status())
          .isEqualTo(201);
      // What datasets take, adapters cannot.
      assertThat(
              small
                  .admin()
                  .publish(smallNamespace + "/mood@1.0.0", Samples.file(1))
                  .text("/detail"))
          .contains("leaves " + (size - 1));
      assertThat(
              TestObjects.upload(
                      small.admin(), "datasets/" + smallNamespace + "/d", "y".repeat(100))
                  .status())
          .isEqualTo(201);
    }
  }

  @Test
  void collectionSparesNamedFilesAndDeletesOthersAfterTheGrace() throws Exception {
    try (TestRegistry separate = TestRegistry.start()) {
      String name = separate.admin().namespace();
      TestObjects.putDataset(separate.admin(), name + "/kept", Map.of("a", "named"));
      TestObjects.upload(separate.admin(), "datasets/" + name + "/kept", "unnamed");
      assertThat(collect(separate)).isZero();

      for (Path blob : separate.blobFiles()) {
        Files.setLastModifiedTime(blob, FileTime.from(Instant.now().minus(Duration.ofHours(25))));
      }
      assertThat(collect(separate)).isZero(); // sent less than a day ago, as the registry knows
      separate
          .database()
          .execute("update object_blob set uploaded_at = now() - interval '25 hours'");

      assertThat(collect(separate)).isEqualTo(1);
      String path = "/api/v1/datasets/" + name + "/kept/files/";
      assertThat(separate.admin().get(path + TestObjects.digest("named")).status()).isEqualTo(200);
      assertThat(separate.admin().get(path + TestObjects.digest("unnamed")).status())
          .isEqualTo(404);
    }
  }

  private static int collect(TestRegistry registry) throws Exception {
    return registry.admin().post("/api/v1/admin/collect-garbage", "").json().at("/blobs").asInt();
  }
}

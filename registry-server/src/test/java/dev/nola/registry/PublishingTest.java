package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.format.Metadata;
import dev.nola.registry.TestClient.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class PublishingTest {
  private final TestRegistry registry = TestRegistry.shared();
  private final TestClient admin = registry.admin();
  private TestClient ann = admin;
  private String namespace = "";

  @BeforeEach
  void createNamespace() throws Exception {
    ann = admin.account("ann", "publish");
    namespace = ann.namespace();
  }

  @Test
  void newVersionIsCreatedAndDescribedByItsFile() throws Exception {
    byte[] file = Samples.file(1);

    Answer answer = ann.publish(namespace + "/mood@1.0.0", file);

    assertThat(answer.status()).isEqualTo(201);
    String path = "/api/v1/adapters/" + namespace + "/mood/versions/1.0.0";
    assertThat(answer.header("Location")).isEqualTo(path);
    assertThat(answer.text("/digest")).isEqualTo(Sha256.hash(file).toString());
    assertThat(answer.text("/verification")).isEqualTo("self-verified");
    assertThat(answer.text("/publishedBy")).isEqualTo("ann");
    JsonNode details = ann.get(path).json();
    assertThat(details.at("/contents/base/name").asString()).isEqualTo("meta-llama/Llama-2-7b-hf");
    assertThat(details.at("/contents/generator").asString()).isEqualTo("philox-srht");
    assertThat(details.at("/contents/seed").asString()).isEqualTo("0x0000000000000001");
    assertThat(details.at("/contents/layers/0/rank").asInt()).isEqualTo(4);
    assertThat(details.at("/contents/layers/0/a/count").asInt()).isEqualTo(8);
    assertThat(details.at("/contents/layers/0/b/bits").asInt()).isEqualTo(4);
    assertThat(details.at("/contents/metadata/license").asString()).isEqualTo("Apache-2.0");
    assertThat(details.at("/contents/metadata/tags/1").asString()).isEqualTo("sentiment");
    // LoRA: 2 bytes · r · (R + C); the tensor: 2 bytes · R · C.
    assertThat(details.at("/comparison/loraBytes").asLong()).isEqualTo(2 * 4 * (64 + 32));
    assertThat(details.at("/comparison/tensorBytes").asLong()).isEqualTo(2 * 64 * 32);
    assertThat(details.at("/comparison/tensorRatio").asDouble())
        .isEqualTo(2 * 64 * 32 / (double) file.length);
    assertThat(details.at("/size").asLong()).isEqualTo(file.length);
  }

  @Test
  void fileDeletedBeforeItsVersionIsRecorded_isRefusedAndPublishesNothing() throws Exception {
    byte[] file = Samples.file(namespace.hashCode());
    String version = namespace + "/mood@1.0.0";
    Sha256 digest = Sha256.hash(file);
    Future<Answer> answer;
    try (ExecutorService client = Executors.newVirtualThreadPerTaskExecutor();
        Connection deletion = registry.database().connect();
        Statement statement = deletion.createStatement()) {
      // The lock of a deletion of the blob, which the publication waits for.
      statement.execute(
          "select pg_advisory_lock(1, (hashtextextended('%s', 0) & 255)::int)".formatted(digest));
      answer = client.submit(() -> ann.publish(version, file));
      Await.until(
          () -> registry.database().count("select count(*) from pg_locks where not granted") > 0);
      for (Path blob : registry.blobFiles()) {
        if (blob.endsWith(digest.hex())) {
          Files.delete(blob);
        }
      }
    }

    assertThat(answer.get().refusal()).isEqualTo("503 unavailable");
    assertThat(ann.get("/api/v1/adapters/" + namespace + "/mood").status()).isEqualTo(404);
    assertThat(ann.publish(version, file).status()).isEqualTo(201);
  }

  @Test
  void sameBytesAreAcceptedAgainAndOthersRefused() throws Exception {
    ann.publish(namespace + "/mood@1.0.0", Samples.file(1));

    Answer repeated = ann.publish(namespace + "/mood@1.0.0", Samples.file(1));
    Answer other = ann.publish(namespace + "/mood@1.0.0", Samples.file(2));

    assertThat(repeated.status()).isEqualTo(200);
    assertThat(other.refusal()).isEqualTo("409 version-exists");
    assertThat(other.text("/detail"))
        .contains(Sha256.hash(Samples.file(1)).toString())
        .contains(Sha256.hash(Samples.file(2)).toString());
  }

  @Test
  void buildMetadataDoesNotMakeAnotherVersion() throws Exception {
    ann.publish(namespace + "/mood@1.0.0+linux", Samples.file(1));

    assertThat(ann.publish(namespace + "/mood@1.0.0+mac", Samples.file(1)).refusal())
        .isEqualTo("409 version-exists");
    assertThat(ann.publish(namespace + "/mood@1.0.0+linux", Samples.file(1)).status())
        .isEqualTo(200);
  }

  @Test
  void deletedVersionIsGoneAndItsNumberStaysUsed() throws Exception {
    ann.publish(namespace + "/mood@1.0.0", Samples.file(1));
    String path = "/api/v1/adapters/" + namespace + "/mood/versions/1.0.0";

    assertThat(ann.delete(path).refusal()).isEqualTo("403 forbidden");
    assertThat(admin.delete(path).status()).isEqualTo(204);

    assertThat(ann.get(path).refusal()).isEqualTo("404 not-found");
    assertThat(ann.get(path + "/file").refusal()).isEqualTo("404 not-found");
    assertThat(ann.publish(namespace + "/mood@1.0.0", Samples.file(1)).refusal())
        .isEqualTo("409 version-deleted");
    assertThat(ann.publish(namespace + "/mood@1.0.0", Samples.file(2)).refusal())
        .isEqualTo("409 version-deleted");
    assertThat(ann.get("/api/v1/adapters/" + namespace + "/mood").json().at("/latest").isNull())
        .isTrue();
  }

  @Test
  void everyBrokenRuleIsNamedAtOnce() throws Exception {
    byte[] file =
        Samples.file(
            3,
            Metadata.of("x".repeat(4001), "y".repeat(101), "whatever you like!")
                .withTags("fine", "<script>"));

    Answer answer = ann.publish(namespace + "/Mood@1.0", file);

    assertThat(answer.refusal()).isEqualTo("422 invalid");
    List<String> fields = new ArrayList<>();
    answer.json().at("/violations").forEach(v -> fields.add(v.at("/field").asString()));
    assertThat(fields)
        .containsExactly(
            "name",
            "version",
            "metadata.description",
            "metadata.task",
            "metadata.license",
            "metadata.tags");
    assertThat(answer.json().at("/violations/0/rule").asString())
        .startsWith("invalid name: Mood; must be");
    assertThat(answer.json().at("/violations/1/rule").asString())
        .startsWith("invalid version: 1.0; must be");
    assertThat(answer.json().at("/violations/5/rule").asString())
        .startsWith("invalid tag: <script>; must");
    assertThat(ann.get("/api/v1/adapters/" + namespace + "/Mood").status()).isEqualTo(404);
  }

  @Test
  void damagedFileIsRefusedForItsOneReason() throws Exception {
    byte[] file = Samples.file(4);
    file[file.length / 2] ^= 1;

    Answer answer = ann.publish(namespace + "/mood@not-a-version", file);

    assertThat(answer.refusal()).isEqualTo("422 damaged-adapter");
    assertThat(answer.text("/detail")).contains("checksum");
    assertThat(answer.json().has("violations")).isFalse();
  }

  @Test
  void fileThatReconstructsToAnotherDigestIsRefused() throws Exception {
    Answer answer = ann.publish(namespace + "/mood@1.0.0", Samples.withWrongDigest(5));

    assertThat(answer.refusal()).isEqualTo("422 damaged-adapter");
    assertThat(answer.text("/detail")).contains("expected=").contains("actual=");
  }

  @Test
  void fileBeyondTheBudgetIsUnverified() throws Exception {
    try (TestRegistry small = TestRegistry.start("nola.verification.additions=10")) {
      String smallNamespace = small.admin().namespace();

      Answer answer = small.admin().publish(smallNamespace + "/mood@1.0.0", Samples.file(1));

      assertThat(answer.status()).isEqualTo(201);
      assertThat(answer.text("/verification")).isEqualTo("unverified");
      assertThat(small.admin().get("/api/v1/adapters?verified=true").json().at("/items")).isEmpty();
      assertThat(small.admin().get("/api/v1/adapters?verified=false").json().at("/items"))
          .hasSize(1);
    }
  }

  @Test
  void strangersMayNotPublish() throws Exception {
    TestClient bob = admin.account("bob", "publish");
    ann.publish(namespace + "/open@1.0.0", Samples.file(1));
    assertThat(ann.publishPrivate(namespace + "/secret@1.0.0", Samples.file(1)).status())
        .isEqualTo(201);

    assertThat(bob.publish(namespace + "/open@2.0.0", Samples.file(2)).refusal())
        .isEqualTo("403 forbidden");
    Answer toPrivate = bob.publish(namespace + "/secret@2.0.0", Samples.file(2));
    Answer toAbsent = bob.publish(namespace + "/absent@2.0.0", Samples.file(2));
    assertThat(toPrivate.refusal()).isEqualTo("404 not-found");
    assertThat(toPrivate.text("/detail").replace("secret", "absent"))
        .isEqualTo(toAbsent.text("/detail"));
    assertThat(bob.publish("nobodys/mood@1.0.0", Samples.file(2)).refusal())
        .isEqualTo("404 not-found");
    assertThat(admin.publish("nobodys/mood@1.0.0", Samples.file(2)).refusal())
        .isEqualTo("404 not-found");
  }

  @Test
  void publishingDoesNotChangeAnAdaptersVisibility() throws Exception {
    ann.publish(namespace + "/mood@1.0.0", Samples.file(1));

    Answer answer = ann.publishPrivate(namespace + "/mood@2.0.0", Samples.file(2));

    assertThat(answer.refusal()).isEqualTo("409 other-visibility");
  }

  @Test
  void namespaceQuotaIsEnforced() throws Exception {
    long size = Samples.file(1).length;
    try (TestRegistry small =
        TestRegistry.start("nola.catalog.namespace-quota=" + (size + 10) + "B")) {
      String smallNamespace = small.admin().namespace();
      small.admin().publish(smallNamespace + "/mood@1.0.0", Samples.file(1));

      Answer answer = small.admin().publish(smallNamespace + "/mood@two", Samples.file(2));

      assertThat(answer.refusal()).isEqualTo("422 invalid");
      assertThat(answer.json().at("/violations")).hasSize(2);
      assertThat(answer.json().at("/violations/1/rule").asString()).contains("leaves 10");
      assertThat(small.admin().publish(smallNamespace + "/mood@1.0.0", Samples.file(1)).status())
          .isEqualTo(200);
    }
  }

  @Test
  void onePublisherOfAVersionWins() throws Exception {
    int publishers = 32;
    List<Callable<Answer>> tries = new ArrayList<>();
    for (int i = 0; i < publishers; i++) {
      byte[] file = Samples.file(100 + i % 16); // every file twice
      tries.add(() -> ann.publish(namespace + "/race@1.0.0", file));
    }
    Map<Integer, List<Answer>> byStatus;
    try (ExecutorService executor = Executors.newFixedThreadPool(publishers)) {
      List<Answer> answers = new ArrayList<>();
      for (Future<Answer> future : executor.invokeAll(tries)) {
        answers.add(future.get());
      }
      byStatus = answers.stream().collect(Collectors.groupingBy(Answer::status));
    }

    assertThat(byStatus.get(201)).hasSize(1);
    assertThat(byStatus.get(409)).hasSize(30);
    assertThat(byStatus.get(200)).hasSize(1);
    String digest = byStatus.get(201).getFirst().text("/digest");
    assertThat(byStatus.get(200).getFirst().text("/digest")).isEqualTo(digest);
    byte[] stored = ann.get("/api/v1/adapters/" + namespace + "/race/versions/1.0.0/file").bytes();
    assertThat(Sha256.hash(stored)).hasToString(digest);
    assertThat(
            registry
                .database()
                .count(
                    "select count(*) from version v join adapter a on a.id = v.adapter_id"
                        + " join namespace n on n.id = a.namespace_id where n.name = '"
                        + namespace
                        + "'"))
        .isEqualTo(1);
  }
}

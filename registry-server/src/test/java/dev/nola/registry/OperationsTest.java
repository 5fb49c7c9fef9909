package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.registry.TestClient.Answer;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class OperationsTest {
  private final TestRegistry registry = TestRegistry.shared();

  @Test
  void openApiEqualsTheFileInTheRepository() throws Exception {
    String actual =
        new String(registry.anonymous().get("/v3/api-docs.yaml").bytes(), StandardCharsets.UTF_8);
    Path written = Path.of("target/openapi.yaml");
    Files.writeString(written, actual);

    // If the change is meant: cp registry-server/target/openapi.yaml registry-server/
    assertThat(actual).isEqualTo(Files.readString(Path.of("openapi.yaml")));
    assertThat(actual).startsWith("openapi: 3.1");
  }

  @Test
  void openApiDescribesTrainingJobs() throws Exception {
    JsonNode job =
        registry
            .anonymous()
            .get("/v3/api-docs")
            .json()
            .at("/components/schemas/Train/properties/job");
    assertThat(job.at("/type").asString()).isEqualTo("object");
    assertThat(job.at("/description").asString()).contains("trainer-worker/job.schema.json");
    assertThat(Path.of("../trainer-worker/job.schema.json")).exists();
  }

  @Test
  void everySettingIsDocumented() throws Exception {
    Set<String> settings = new TreeSet<>();
    JsonMapper.shared()
        .readTree(
            OperationsTest.class.getResourceAsStream(
                "/META-INF/spring-configuration-metadata.json"))
        .at("/properties")
        .forEach(property -> settings.add(property.at("/name").asString()));
    settings.add("nola.data");
    String readme = Files.readString(Path.of("README.md"));

    assertThat(settings).hasSizeGreaterThan(10);
    assertThat(settings).allSatisfy(setting -> assertThat(readme).contains("`" + setting + "`"));
    readme
        .lines()
        .filter(line -> line.startsWith("| `nola."))
        .map(line -> line.split("`")[1])
        .forEach(documented -> assertThat(settings).contains(documented));
  }

  @Test
  void requestIdIsTheClientsOrRandom() throws Exception {
    TestClient client = registry.anonymous();

    Answer chosen = client.get("/api/v1/adapters/a/b", "X-Request-Id", "build-17.3_x");
    Answer forged = client.get("/api/v1/adapters/a/b", "X-Request-Id", "a b\"}");

    assertThat(chosen.header("X-Request-Id")).isEqualTo("build-17.3_x");
    assertThat(chosen.text("/requestId")).isEqualTo("build-17.3_x");
    assertThat(forged.header("X-Request-Id")).hasSize(36);
    assertThat(forged.text("/requestId")).isEqualTo(forged.header("X-Request-Id"));
  }

  @Test
  void metricsCountRequests() throws Exception {
    registry.anonymous().get("/api/v1/adapters");

    Answer metrics = registry.admin().get("/actuator/prometheus");

    assertThat(new String(metrics.bytes(), StandardCharsets.UTF_8))
        .contains("http_server_requests_seconds_count{")
        .contains("uri=\"/api/v1/adapters\"")
        .contains("hikaricp_connections_active");
  }

  /** deploy/helm/check allows alerts, dashboard and scaling no other metrics. */
  @Test
  void metricsOfTheDeploymentExist() throws Exception {
    registry.anonymous().get("/api/v1/adapters");

    String metrics =
        new String(registry.admin().get("/actuator/prometheus").bytes(), StandardCharsets.UTF_8);

    assertThat(Files.readAllLines(Path.of("../deploy/helm/metrics.txt")))
        .hasSizeGreaterThan(10)
        .allSatisfy(name -> assertThat(metrics).containsPattern("(?m)^" + name + "[{ ]"));
  }

  @Test
  void errorsAreProblemDetails() throws Exception {
    Answer answer = registry.anonymous().get("/api/v1/adapters/a/b", "Accept", "text/html");

    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.header("Content-Type")).isEqualTo(TestClient.PROBLEM);
    assertThat(answer.text("/title")).isEqualTo("Not Found");
    assertThat(answer.text("/instance")).isEqualTo("/api/v1/adapters/a/b");
    Answer method = registry.admin().post("/api/v1/audit", "{}");
    assertThat(method.status()).isEqualTo(405);
    assertThat(method.header("Content-Type")).isEqualTo(TestClient.PROBLEM);
    assertThat(method.refusal()).isEqualTo("405 method-not-allowed");
  }

  @Test
  void unavailableDatabaseMakesServerUnreadyUntilItReturns() throws Exception {
    TestDatabase database = TestDatabase.create();
    try (TestRegistry separate =
        TestRegistry.start(database, Files.createTempDirectory("nola-registry"))) {
      String readiness = "/actuator/health/readiness";
      assertThat(separate.anonymous().get(readiness).text("/status")).isEqualTo("UP");

      database.cutOff();
      Answer unready = separate.anonymous().get(readiness);
      assertThat(unready.status()).isEqualTo(503);
      assertThat(unready.text("/status")).isEqualTo("DOWN");
      Answer search = separate.anonymous().get("/api/v1/adapters");
      assertThat(search.refusal()).isEqualTo("503 unavailable");
      assertThat(search.header("Retry-After")).isEqualTo("5");
      assertThat(separate.anonymous().with("nola_unknown").get("/api/v1/adapters").refusal())
          .isEqualTo("503 unavailable");

      database.reconnect();
      long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
      while (separate.anonymous().get(readiness).status() != 200 && System.nanoTime() < end) {
        Thread.sleep(100);
      }
      assertThat(separate.anonymous().get(readiness).text("/status")).isEqualTo("UP");
      assertThat(separate.anonymous().get("/api/v1/adapters").status()).isEqualTo(200);
    }
  }

  @Test
  void readOnlyBlobStoreMakesServerUnready() throws Exception {
    try (TestRegistry separate = TestRegistry.start()) {
      Files.delete(separate.data().resolve("blobs/tmp"));

      assertThat(separate.anonymous().get("/actuator/health/readiness").text("/status"))
          .isEqualTo("DOWN");
      assertThat(separate.anonymous().get("/actuator/health/liveness").text("/status"))
          .isEqualTo("UP");
    }
  }

  @Test
  void scrubNamesTheBlobsThatAreDamaged() throws Exception {
    try (TestRegistry separate = TestRegistry.start()) {
      String namespace = separate.admin().namespace();
      separate.admin().publish(namespace + "/mood@1.0.0", Samples.file(1));
      String digest =
          separate.admin().publish(namespace + "/mood@2.0.0", Samples.file(2)).text("/digest");
      Path blob =
          separate.blobFiles().stream()
              .filter(file -> digest.endsWith(file.getFileName().toString()))
              .findFirst()
              .orElseThrow();
      byte[] bytes = Files.readAllBytes(blob);
      bytes[100] ^= 1;
      Files.write(blob, bytes);

      Answer report = separate.admin().post("/api/v1/admin/scrub", "");

      assertThat(report.json().at("/checked").asInt()).isEqualTo(2);
      assertThat(report.json().at("/corrupt")).hasSize(1);
      assertThat(report.text("/corrupt/0")).isEqualTo(digest);
      separate.admin().publish(namespace + "/mood@2.0.0", Samples.file(2)); // repairs it
      assertThat(separate.admin().post("/api/v1/admin/scrub", "").json().at("/corrupt")).isEmpty();
    }
  }

  @Test
  void garbageIsCollectedAfterItsGraceAndNothingElse() throws Exception {
    try (TestRegistry separate = TestRegistry.start()) {
      String namespace = separate.admin().namespace();
      separate.admin().publish(namespace + "/mood@1.0.0", Samples.file(1));
      separate.admin().publish(namespace + "/mood@2.0.0", Samples.file(2));
      separate.admin().publish(namespace + "/also@1.0.0", Samples.file(2));
      separate.admin().publish(namespace + "/mood@3.0.0", Samples.file(3));
      separate.admin().delete("/api/v1/adapters/" + namespace + "/mood/versions/2.0.0");
      separate.admin().delete("/api/v1/adapters/" + namespace + "/mood/versions/3.0.0");
      assertThat(collect(separate)).isZero();

      for (Path blob : separate.blobFiles()) {
        Files.setLastModifiedTime(blob, FileTime.from(Instant.now().minus(Duration.ofHours(25))));
      }
      assertThat(collect(separate)).isEqualTo(1);
      assertThat(separate.blobFiles()).hasSize(2);
      assertThat(
              separate
                  .admin()
                  .get("/api/v1/adapters/" + namespace + "/also/versions/1.0.0/file")
                  .bytes())
          .isEqualTo(Samples.file(2));
    }
  }

  @Test
  void stoppingServerFinishesItsRequests() throws Exception {
    TestDatabase database = TestDatabase.create();
    TestRegistry separate =
        TestRegistry.start(database, Files.createTempDirectory("nola-registry"));
    String namespace = separate.admin().namespace();
    separate.admin().publish(namespace + "/mood@1.0.0", Samples.file(1));
    separate.anonymous().get("/api/v1/adapters/" + namespace + "/mood/versions/1.0.0/file");
    byte[] file = Samples.file(2);
    try (Socket socket = new Socket("127.0.0.1", separate.port())) {
      socket
          .getOutputStream()
          .write(
              ("POST /api/v1/adapters/"
                      + namespace
                      + "/mood/versions/2.0.0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                      + "Content-Type: application/octet-stream\r\nAuthorization: Bearer "
                      + TestRegistry.ADMIN
                      + "\r\nContent-Length: "
                      + file.length
                      + "\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      socket.getOutputStream().write(file, 0, 10);
      Thread.sleep(500); // the request has begun
      Thread end = Thread.ofPlatform().start(separate::close);
      Thread.sleep(1000);
      socket.getOutputStream().write(file, 10, file.length - 10);

      assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
          .contains(" 201 ");
      end.join();
    }
    assertThat(database.count("select count(*) from version")).isEqualTo(2);
    assertThat(database.count("select downloads from version where version = '1.0.0'"))
        .isEqualTo(1);
  }

  @Test
  void embeddedDatabaseLocksItsDirectory() throws Exception {
    try (TestRegistry other = TestRegistry.start()) {
      Path log = other.data().resolve("log");
      assertThatThrownBy(() -> ServerProcess.start(other.data(), log))
          .hasMessageContaining("data directory in use by another server");
    }
  }

  private static int collect(TestRegistry registry) throws Exception {
    return registry.admin().post("/api/v1/admin/collect-garbage", "").json().at("/blobs").asInt();
  }
}

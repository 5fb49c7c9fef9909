package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.registry.TestClient.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class AccessTest {
  private final TestRegistry registry = TestRegistry.shared();
  private final TestClient admin = registry.admin();
  private final TestClient anyone = registry.anonymous();

  @Test
  void namespaceBelongsToItsCreator() throws Exception {
    TestClient ann = admin.account("ann", "publish");
    TestClient bob = admin.account("bob", "publish");
    String path = "/api/v1/namespaces/" + TestClient.freshName();

    Answer created = ann.put(path);

    assertThat(created.status()).isEqualTo(201);
    assertThat(created.text("/role")).isEqualTo("owner");
    assertThat(ann.put(path).status()).isEqualTo(200);
    assertThat(bob.put(path).refusal()).isEqualTo("409 namespace-taken");
    assertThat(admin.put(path).status()).isEqualTo(200);
    assertThat(anyone.get(path).json().at("/role").isNull()).isTrue();
    assertThat(ann.get(path + "/members").json().at("/0/account").asString()).isEqualTo("ann");
    assertThat(bob.get(path + "/members").refusal()).isEqualTo("403 forbidden");
    assertThat(anyone.get("/api/v1/namespaces/absent").refusal()).isEqualTo("404 not-found");
  }

  @Test
  void namespaceNamesFollowARule() throws Exception {
    for (String name : List.of("Upper", "-a", "a-", "a_b", "a.b", "x".repeat(40), "%20")) {
      assertThat(admin.put("/api/v1/namespaces/" + name).refusal())
          .as(name)
          .isEqualTo("422 invalid");
    }
    assertThat(admin.put("/api/v1/namespaces/Upper").text("/detail"))
        .startsWith("invalid namespace: Upper; must be 1 to 39");
  }

  @Test
  void ownersManageTheMembersWhoMayPublish() throws Exception {
    TestClient ann = admin.account("ann", "publish");
    TestClient bob = admin.account("bob", "publish");
    String namespace = ann.namespace();
    String members = "/api/v1/namespaces/" + namespace + "/members/";

    assertThat(bob.put(members + "bob", Map.of("role", "owner")).refusal())
        .isEqualTo("403 forbidden");
    assertThat(ann.put(members + "bob", Map.of("role", "member")).status()).isEqualTo(200);
    assertThat(bob.publish(namespace + "/mood@1.0.0", Samples.file(1)).status()).isEqualTo(201);
    assertThat(bob.put(members + "bob", Map.of("role", "owner")).refusal())
        .isEqualTo("403 forbidden");
    Answer mistyped = ann.put(members + "bobb", Map.of("role", "member"));
    assertThat(mistyped.refusal()).isEqualTo("422 invalid");
    assertThat(mistyped.text("/detail"))
        .startsWith("account bobb not found; an account exists once");
    assertThat(ann.put(members + "Nobody", Map.of("role", "member")).refusal())
        .isEqualTo("422 invalid");
    assertThat(ann.put(members + "bob", Map.of("role", "king")).refusal())
        .isEqualTo("400 unreadable");

    assertThat(ann.delete(members + "ann").refusal()).isEqualTo("409 last-owner");
    assertThat(ann.put(members + "ann", Map.of("role", "member")).refusal())
        .isEqualTo("409 last-owner");
    assertThat(ann.put(members + "bob", Map.of("role", "owner")).status()).isEqualTo(200);
    assertThat(ann.delete(members + "ann").status()).isEqualTo(204);
    assertThat(ann.publish(namespace + "/mood@2.0.0", Samples.file(2)).refusal())
        .isEqualTo("403 forbidden");
    assertThat(bob.delete(members + "ann").refusal()).isEqualTo("404 not-found");
  }

  @Test
  void secretIsShownOnceAndStoredAsAHashOnly() throws Exception {
    Answer answer =
        admin.post(
            "/api/v1/tokens",
            Map.of("account", "carol", "scopes", List.of("read"), "description", "laptop"));

    String secret = answer.text("/secret");
    assertThat(secret).matches("nola_[A-Za-z0-9_-]{43}");
    JsonNode listed = admin.get("/api/v1/tokens?account=carol").json().at("/0");
    assertThat(listed.toString()).doesNotContain(secret.substring(5));
    assertThat(listed.at("/description").asString()).isEqualTo("laptop");
    assertThat(listed.at("/scopes/0").asString()).isEqualTo("read");
    assertThat(
            registry
                .database()
                .count("select count(*) from token t where t::text like '%" + secret + "%'"))
        .isZero();
    assertThat(
            registry
                .database()
                .count("select count(*) from audit a where a::text like '%" + secret + "%'"))
        .isZero();
  }

  @Test
  void tokenWorksUntilItIsRevoked() throws Exception {
    Answer answer =
        admin.post("/api/v1/tokens", Map.of("account", "dave", "scopes", List.of("publish")));
    TestClient dave = anyone.with(answer.text("/secret"));
    String token = "/api/v1/tokens/" + answer.text("/token/id");
    assertThat(dave.get("/api/v1/tokens").status()).isEqualTo(200);

    assertThat(admin.account("eve", "publish").delete(token).refusal()).isEqualTo("404 not-found");
    assertThat(dave.delete(token).status()).isEqualTo(204);

    assertThat(dave.get("/api/v1/tokens").refusal()).isEqualTo("401 unauthenticated");
    assertThat(dave.get("/api/v1/adapters").refusal()).isEqualTo("401 unauthenticated");
    assertThat(dave.get("/api/v1/adapters").header("WWW-Authenticate")).startsWith("Bearer");
    assertThat(admin.delete(token).status()).isEqualTo(204);
    assertThat(admin.delete("/api/v1/tokens/not-an-id").status()).isEqualTo(400);
  }

  @Test
  void tokenShowsItsAccountAndScopes() throws Exception {
    TestClient ann = admin.account("ann", "publish", "mint");
    String namespace = ann.namespace();
    TestClient narrow =
        ann.token(
            Map.of(
                "scopes",
                List.of("read"),
                "namespaces",
                List.of(namespace),
                "description",
                "laptop"));

    JsonNode token = narrow.get("/api/v1/tokens/current").json();

    assertThat(token.at("/account").asString()).isEqualTo("ann");
    assertThat(token.at("/description").asString()).isEqualTo("laptop");
    assertThat(token.at("/scopes").toString()).isEqualTo("[\"read\"]");
    assertThat(token.at("/namespaces/0").asString()).isEqualTo(namespace);
    assertThat(token.toString()).doesNotContain(String.valueOf(narrow.token()).substring(5));
    assertThat(anyone.get("/api/v1/tokens/current").refusal()).isEqualTo("401 unauthenticated");
  }

  @Test
  void tokenExpires() throws Exception {
    TestClient brief =
        admin.token(
            Map.of(
                "account",
                "frank",
                "scopes",
                List.of("read"),
                "expiresAt",
                Instant.now().plusSeconds(2).toString()));
    assertThat(brief.get("/api/v1/tokens").status()).isEqualTo(200);

    Thread.sleep(2100);

    assertThat(brief.get("/api/v1/tokens").refusal()).isEqualTo("401 unauthenticated");
  }

  @Test
  void tokenCannotGrantMoreThanItsRights() throws Exception {
    TestClient ann = admin.account("ann", "publish", "mint");
    String namespace = ann.namespace();
    TestClient narrow =
        ann.token(Map.of("scopes", List.of("publish", "mint"), "namespaces", List.of(namespace)));

    assertThat(ann.post("/api/v1/tokens", Map.of("scopes", List.of("admin"))).refusal())
        .isEqualTo("403 forbidden");
    assertThat(ann.post("/api/v1/tokens", Map.of("scopes", List.of("worker"))).refusal())
        .isEqualTo("403 forbidden");
    assertThat(
            ann.post("/api/v1/tokens", Map.of("account", "bob", "scopes", List.of("read")))
                .refusal())
        .isEqualTo("403 forbidden");
    assertThat(narrow.post("/api/v1/tokens", Map.of("scopes", List.of("publish"))).refusal())
        .isEqualTo("403 forbidden");
    assertThat(ann.get("/api/v1/tokens?account=bob").refusal()).isEqualTo("403 forbidden");

    String other = ann.namespace();
    assertThat(narrow.publish(namespace + "/mood@1.0.0", Samples.file(1)).status()).isEqualTo(201);
    assertThat(narrow.publish(other + "/mood@1.0.0", Samples.file(1)).refusal())
        .isEqualTo("404 not-found");
    assertThat(narrow.put("/api/v1/namespaces/" + TestClient.freshName()).refusal())
        .isEqualTo("403 forbidden");
  }

  @Test
  void invalidTokenRequestNamesEveryViolation() throws Exception {
    Answer answer =
        admin.post(
            "/api/v1/tokens",
            Map.of(
                "account",
                "No Good",
                "scopes",
                List.of(),
                "namespaces",
                List.of(),
                "description",
                "x".repeat(201),
                "expiresAt",
                "2020-01-01T00:00:00Z"));

    assertThat(answer.refusal()).isEqualTo("422 invalid");
    assertThat(answer.json().at("/violations")).hasSize(5);
    assertThat(admin.post("/api/v1/tokens", "{").refusal()).isEqualTo("400 unreadable");
  }

  @Test
  void invalidAuthorizationHeadersAreRefused() throws Exception {
    for (String header : List.of("Basic YTpi", "Bearer", "Bearer a b", "nola_x", "Bearer nola_x")) {
      assertThat(anyone.get("/api/v1/adapters", "Authorization", header).refusal())
          .as(header)
          .isEqualTo("401 unauthenticated");
    }
  }

  @Test
  void lastUseIsRecordedWithDelay() throws Exception {
    TestClient grace = admin.account("grace", "read");
    Instant start = Instant.now().minusSeconds(1);
    grace.get("/api/v1/adapters");

    long end = System.nanoTime() + 30_000_000_000L;
    JsonNode used;
    do {
      Thread.sleep(100);
      used = admin.get("/api/v1/tokens?account=grace").json().at("/0/lastUsedAt");
    } while (used.isNull() && System.nanoTime() < end);
    assertThat(Instant.parse(used.asString())).isAfter(start);
  }

  @Test
  void registryCanBeClosedToStrangers() throws Exception {
    try (TestRegistry closed = TestRegistry.start("nola.access.anonymous-read=false")) {
      String namespace = closed.admin().namespace();
      closed.admin().publish(namespace + "/mood@1.0.0", Samples.file(1));
      String path = "/api/v1/adapters/" + namespace + "/mood";

      TestClient reader = closed.admin().account("reader", "read");
      String version = path + "/versions/1.0.0";
      // The server keeps what members read.
      assertThat(reader.get(version).status()).isEqualTo(200);
      Answer file = reader.get(version + "/file");
      for (String url : List.of("/api/v1/adapters", path, version, version + "/file")) {
        assertThat(closed.anonymous().get(url).refusal()).as(url).isEqualTo("401 unauthenticated");
      }
      assertThat(file.status()).isEqualTo(200);
      assertThat(file.header("Cache-Control")).startsWith("private");
      assertThat(closed.anonymous().get("/actuator/health/readiness").status()).isEqualTo(200);
    }
  }

  @Test
  void tooManyRequestsHaveToWait() throws Exception {
    try (TestRegistry slow =
        TestRegistry.start(
            "nola.access.anonymous-requests-per-minute=5", "nola.access.requests-per-minute=8")) {
      String adapter = slow.admin().namespace() + "/mood";
      slow.admin().publish(adapter + "@1.0.0", Samples.file(1));
      String file = "/api/v1/adapters/" + adapter + "/versions/1.0.0/file";
      for (String path : List.of("/api/v1/adapters", file, file, file, "/api/v1/adapters")) {
        assertThat(slow.anonymous().get(path).status()).isEqualTo(200);
      }
      for (String path : List.of("/api/v1/adapters", file)) { // one that is kept is limited, too
        Answer refused = slow.anonymous().get(path);
        assertThat(refused.refusal()).isEqualTo("429 too-many-requests");
        assertThat(Integer.parseInt(String.valueOf(refused.header("Retry-After"))))
            .isBetween(1, 12);
      }
    }
  }

  @Test
  void tooManyRequestsOfOneAccountDoNotTouchAnother() throws Exception {
    try (TestRegistry slow = TestRegistry.start("nola.access.requests-per-minute=8")) {
      TestClient ann = slow.admin().account("ann", "read");
      TestClient bob = slow.admin().account("bob", "read");
      int refused = 0;
      for (int i = 0; i < 12; i++) {
        refused += ann.get("/api/v1/adapters").status() == 429 ? 1 : 0;
      }
      assertThat(refused).isBetween(2, 4);
      assertThat(bob.get("/api/v1/adapters").status()).isEqualTo(200);
    }
  }

  @Test
  void workersHaveALimitOfTheirOwn() throws Exception {
    try (TestRegistry slow =
        TestRegistry.start(
            "nola.access.requests-per-minute=4", "nola.access.worker-requests-per-minute=12")) {
      TestClient worker = slow.admin().account("worker", "worker");
      int answered = 0;
      for (int i = 0; i < 16; i++) {
        answered += worker.get("/api/v1/adapters").status() == 200 ? 1 : 0;
      }
      assertThat(answered).isBetween(11, 15);
    }
  }

  @Test
  void uploadsOfOneAccountHaveAQuota() throws Exception {
    int size = Samples.file(1).length;
    try (TestRegistry small =
        TestRegistry.start("nola.access.upload-per-day=" + (2 * size) + "B")) {
      TestClient ann = small.admin().account("ann", "publish");
      String namespace = ann.namespace();
      assertThat(ann.publish(namespace + "/mood@1.0.0", Samples.file(1)).status()).isEqualTo(201);
      assertThat(ann.publish(namespace + "/mood@1.0.0", Samples.file(1)).status()).isEqualTo(200);

      Answer refused = ann.publish(namespace + "/mood@2.0.0", Samples.file(2));

      assertThat(refused.refusal()).isEqualTo("429 too-many-requests");
      assertThat(refused.header("Retry-After")).isNotNull();
    }
  }

  @Test
  void firstStartWritesTheAdminTokenToAPrivateFile() throws Exception {
    TestDatabase database = TestDatabase.create();
    Path data = Files.createTempDirectory("nola-registry");
    try (TestRegistry first = TestRegistry.start(database, data, "nola.access.admin-token=")) {
      Path file = data.resolve("admin-token");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("rw-------");
      TestClient written = first.anonymous().with(Files.readString(file).strip());
      assertThat(written.get("/api/v1/audit").status()).isEqualTo(200);
      assertThat(first.admin().get("/api/v1/audit").status()).isEqualTo(401);
      Files.delete(file);
    }
    try (TestRegistry second = TestRegistry.start(database, data, "nola.access.admin-token=")) {
      assertThat(data.resolve("admin-token")).doesNotExist(); // only the first start makes one
      assertThat(second.anonymous().get("/api/v1/adapters").status()).isEqualTo(200);
    }
    try (TestRegistry regained = TestRegistry.start(database, data)) {
      assertThat(regained.admin().get("/api/v1/audit").status()).isEqualTo(200);
    }
  }

  @Test
  void auditLogRecordsChangesAndIsImmutable() throws Exception {
    TestClient ann = admin.account("ann", "publish");
    String namespace = ann.namespace();
    Answer published = ann.publish(namespace + "/mood@1.0.0", Samples.file(1));

    JsonNode entry = admin.get("/api/v1/audit?limit=1").json().at("/items/0");

    assertThat(entry.at("/action").asString()).isEqualTo("version.publish");
    assertThat(entry.at("/account").asString()).isEqualTo("ann");
    assertThat(entry.at("/subject").asString()).isEqualTo(namespace + "/mood@1.0.0");
    assertThat(entry.at("/detail").asString()).isEqualTo(published.text("/digest"));
    assertThat(entry.at("/requestId").asString()).isEqualTo(published.header("X-Request-Id"));
    String next = admin.get("/api/v1/audit?limit=1").text("/next");
    assertThat(admin.get("/api/v1/audit?limit=1&cursor=" + next).text("/items/0/action"))
        .isEqualTo("namespace.create");
    for (String sql :
        List.of("update audit set account = 'x'", "delete from audit", "truncate audit")) {
      assertThatThrownBy(() -> registry.database().execute(sql))
          .hasMessageContaining("only ever added");
    }
  }
}

package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class ReadingTest {
  private final TestRegistry registry = TestRegistry.shared();
  private final TestClient admin = registry.admin();
  private final TestClient anyone = registry.anonymous();
  private TestClient ann = admin;
  private String adapter = "";
  private String path = "";

  @BeforeEach
  void createAdapter() throws Exception {
    ann = admin.account("ann", "publish");
    adapter = ann.namespace() + "/mood";
    path = "/api/v1/adapters/" + adapter;
  }

  private byte[] publish(String version, long seed) throws Exception {
    byte[] file = Samples.file(seed);
    assertThat(ann.publish(adapter + "@" + version, file).status()).isEqualTo(201);
    return file;
  }

  /** The version that a reference means, or the refusal. */
  private String resolve(String reference) throws Exception {
    Answer answer = anyone.get(path + "/versions/" + reference);
    return answer.status() == 200 ? answer.text("/version") : answer.refusal();
  }

  @Test
  void fileHasItsDigestAndMayBeCachedForever() throws Exception {
    byte[] file = publish("1.0.0", 1);

    Answer answer = anyone.get(path + "/versions/1.0.0/file");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.bytes()).isEqualTo(file);
    assertThat(answer.header("Content-Type")).isEqualTo("application/vnd.nola.adapter");
    assertThat(answer.header("ETag")).isEqualTo('"' + Sha256.hash(file).toString() + '"');
    assertThat(answer.header("Repr-Digest"))
        .isEqualTo(
            "sha-256=:" + Base64.getEncoder().encodeToString(Sha256.hash(file).toBytes()) + ":");
    assertThat(answer.header("Cache-Control")).isEqualTo("public, max-age=31536000, immutable");
    assertThat(answer.header("Nola-Version")).isEqualTo("1.0.0");
    assertThat(answer.header("Nola-Warning")).isNull();
  }

  @Test
  void fileOfAMovingReferenceIsRevalidated() throws Exception {
    publish("1.0.0", 1);

    assertThat(anyone.get(path + "/versions/latest/file").header("Cache-Control"))
        .isEqualTo("public, no-cache");
  }

  @Test
  void cachedFileIsNotSentAgain() throws Exception {
    publish("1.0.0", 1);
    String etag = anyone.get(path + "/versions/1.0.0/file").header("ETag");

    Answer cached = anyone.get(path + "/versions/latest/file", "If-None-Match", etag + ", \"x\"");
    Answer other = anyone.get(path + "/versions/latest/file", "If-None-Match", "\"x\"");

    assertThat(cached.status()).isEqualTo(304);
    assertThat(cached.bytes()).isEmpty();
    assertThat(cached.header("ETag")).isEqualTo(etag);
    assertThat(other.status()).isEqualTo(200);
  }

  @Test
  void rangeOfTheFileIsSent() throws Exception {
    byte[] file = publish("1.0.0", 1);
    int size = file.length;
    String url = path + "/versions/1.0.0/file";

    Answer middle = anyone.get(url, "Range", "bytes=10-19");
    assertThat(middle.status()).isEqualTo(206);
    assertThat(middle.header("Content-Range")).isEqualTo("bytes 10-19/" + size);
    assertThat(middle.bytes()).isEqualTo(Arrays.copyOfRange(file, 10, 20));
    assertThat(anyone.get(url, "Range", "bytes=0-0").bytes())
        .isEqualTo(Arrays.copyOfRange(file, 0, 1));
    assertThat(anyone.get(url, "Range", "bytes=-7").bytes())
        .isEqualTo(Arrays.copyOfRange(file, size - 7, size));
    assertThat(anyone.get(url, "Range", "bytes=10-999999").bytes())
        .isEqualTo(Arrays.copyOfRange(file, 10, size));
    assertThat(anyone.get(url, "Range", "bytes=" + size + "-").refusal()).isEqualTo("416 range");
    assertThat(anyone.get(url, "Range", "lines=1-2").status()).isEqualTo(200);
    assertThat(anyone.get(url, "Range", "bytes=1-2", "If-Range", "\"x\"").status()).isEqualTo(200);
    assertThat(
            anyone
                .get(
                    url, "Range", "bytes=1-2", "If-Range", '"' + Sha256.hash(file).toString() + '"')
                .status())
        .isEqualTo(206);
  }

  @Test
  void headHasTheHeadersOfGetWithoutABody() throws Exception {
    byte[] file = publish("1.0.0", 1);
    for (String url :
        List.of(
            "/api/v1/adapters",
            path,
            path + "/versions",
            path + "/versions/1.0.0",
            path + "/versions/1.0.0/file",
            path + "/aliases")) {
      Answer get = anyone.get(url);
      Answer head = anyone.head(url);
      assertThat(head.status()).as(url).isEqualTo(200);
      assertThat(head.bytes()).as(url).isEmpty();
      assertThat(head.header("Content-Type")).as(url).isEqualTo(get.header("Content-Type"));
      assertThat(head.header("ETag")).as(url).isEqualTo(get.header("ETag"));
    }
    assertThat(anyone.head(path + "/versions/1.0.0/file").header("Content-Length"))
        .isEqualTo(Integer.toString(file.length));
    assertThat(anyone.head(path + "/versions/2.0.0").status()).isEqualTo(404);
  }

  @Test
  void everyKindOfReferenceIsResolved() throws Exception {
    publish("1.0.0", 1);
    byte[] file = publish("1.2.0", 2);
    publish("1.10.0", 3);
    publish("2.0.0-rc.1", 4);
    ann.put(path + "/aliases/stable", Map.of("version", "1.2.0"));

    assertThat(resolve("latest")).isEqualTo("1.10.0");
    assertThat(resolve("1.2.0")).isEqualTo("1.2.0");
    assertThat(resolve("stable")).isEqualTo("1.2.0");
    assertThat(resolve(Sha256.hash(file).toString())).isEqualTo("1.2.0");
    assertThat(resolve("%5E1")).isEqualTo("1.10.0");
    assertThat(resolve("~1.2")).isEqualTo("1.2.0");
    assertThat(resolve("1.x")).isEqualTo("1.10.0");
    assertThat(resolve("%3C1.2.0")).isEqualTo("1.0.0");
    assertThat(resolve("%3E=1.0.0%20%3C1.10.0")).isEqualTo("1.2.0");
    assertThat(resolve("%3E=2.0.0-rc.0")).isEqualTo("2.0.0-rc.1");
    assertThat(resolve("3.0.0")).isEqualTo("404 not-found");
    assertThat(resolve("%5E3")).isEqualTo("404 not-found");
    assertThat(resolve("unstable")).isEqualTo("404 not-found");
    assertThat(resolve("sha256:" + "0".repeat(64))).isEqualTo("404 not-found");
  }

  @Test
  void latestIsAPrereleaseOnlyIfThereIsNothingElse() throws Exception {
    publish("1.0.0-alpha.2", 1);
    publish("1.0.0-alpha.10", 2);
    assertThat(resolve("latest")).isEqualTo("1.0.0-alpha.10");

    publish("0.1.0", 3);
    assertThat(resolve("latest")).isEqualTo("0.1.0");
  }

  @Test
  void yankedVersionIsSkippedAndHasAWarning() throws Exception {
    byte[] file = publish("1.0.0", 1);
    byte[] bad = publish("1.1.0", 2);
    ann.put(path + "/aliases/stable", Map.of("version", "1.1.0"));

    Answer yanked = ann.put(path + "/versions/1.1.0/yank", Map.of("reason", "wrong – sorry"));

    assertThat(yanked.text("/yanked/reason")).isEqualTo("wrong – sorry");
    assertThat(yanked.text("/yanked/by")).isEqualTo("ann");
    assertThat(resolve("latest")).isEqualTo("1.0.0");
    assertThat(resolve("1.x")).isEqualTo("1.0.0");
    assertThat(resolve("1.1.0")).isEqualTo("1.1.0");
    assertThat(resolve("stable")).isEqualTo("1.1.0");
    assertThat(resolve(Sha256.hash(bad).toString())).isEqualTo("1.1.0");
    Answer download = anyone.get(path + "/versions/1.1.0/file");
    assertThat(download.bytes()).isEqualTo(bad);
    assertThat(download.header("Nola-Warning")).isEqualTo("yanked: wrong%20%E2%80%93%20sorry");
    assertThat(anyone.get(path + "/versions/latest/file").bytes()).isEqualTo(file);

    ann.delete(path + "/versions/1.1.0/yank");
    assertThat(resolve("latest")).isEqualTo("1.1.0");
    assertThat(anyone.get(path + "/versions/1.1.0/file").header("Nola-Warning")).isNull();
  }

  @Test
  void yankNeedsAReason() throws Exception {
    publish("1.0.0", 1);

    assertThat(ann.put(path + "/versions/1.0.0/yank", Map.of("reason", " ")).refusal())
        .isEqualTo("422 invalid");
    assertThat(ann.put(path + "/versions/1.0.0/yank", "{}").refusal()).isEqualTo("400 unreadable");
    assertThat(ann.put(path + "/versions/9.0.0/yank", Map.of("reason", "x")).refusal())
        .isEqualTo("404 not-found");
  }

  @Test
  void mismatchedVersionIsSkipped() throws Exception {
    publish("1.0.0", 1);
    publish("1.1.0", 2);

    registry
        .database()
        .execute(
            "update version set verification = 'MISMATCHED' where version = '1.1.0' and adapter_id ="
                + " (select a.id from adapter a join namespace n on n.id = a.namespace_id where"
                + " n.name || '/' || a.name = '"
                + adapter
                + "')");

    assertThat(resolve("latest")).isEqualTo("1.0.0");
    assertThat(resolve("1.x")).isEqualTo("1.0.0");
    assertThat(resolve("1.1.0")).isEqualTo("1.1.0");
  }

  @Test
  void versionsAreListedHighestFirstInPages() throws Exception {
    List<String> ascending =
        List.of("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0", "1.2.0", "1.10.0", "10.0.0");
    for (int i = 0; i < ascending.size(); i++) {
      publish(ascending.get((i * 3) % ascending.size()), i); // not in order
    }

    List<String> listed = new ArrayList<>();
    String url = path + "/versions?limit=3";
    while (url != null) {
      Answer answer = anyone.get(url);
      answer.json().at("/items").forEach(item -> listed.add(item.at("/version").asString()));
      JsonNode next = answer.json().at("/next");
      String link = answer.header("Link");
      assertThat(link == null).isEqualTo(next.isNull());
      url = link == null ? null : link.substring(link.indexOf("/api"), link.indexOf('>'));
    }

    assertThat(listed).isEqualTo(ascending.reversed());
    assertThat(anyone.get(path + "/versions?limit=0").refusal()).isEqualTo("422 invalid");
    assertThat(anyone.get(path + "/versions?limit=101").refusal()).isEqualTo("422 invalid");
    assertThat(anyone.get(path + "/versions?limit=x").status()).isEqualTo(400);
    assertThat(anyone.get(path + "/versions?cursor=nonsense").refusal()).isEqualTo("422 invalid");
  }

  @Test
  void movedAliasKeepsItsHistory() throws Exception {
    publish("1.0.0", 1);
    publish("2.0.0", 2);
    ann.put(path + "/aliases/stable", Map.of("version", "1.0.0"));
    assertThat(resolve("stable")).isEqualTo("1.0.0");
    ann.put(path + "/aliases/stable", Map.of("version", "2.0.0"));
    assertThat(resolve("stable")).isEqualTo("2.0.0");

    assertThat(anyone.get(path).text("/aliases/stable")).isEqualTo("2.0.0");
    assertThat(anyone.get(path + "/versions/2.0.0").text("/aliases/0")).isEqualTo("stable");
    assertThat(ann.delete(path + "/aliases/stable").status()).isEqualTo(204);
    assertThat(resolve("stable")).isEqualTo("404 not-found");
    assertThat(ann.delete(path + "/aliases/stable").refusal()).isEqualTo("404 not-found");

    JsonNode history = anyone.get(path + "/aliases/stable/history").json();
    assertThat(history).hasSize(3);
    assertThat(history.at("/0/version").isNull()).isTrue();
    assertThat(history.at("/1/version").asString()).isEqualTo("2.0.0");
    assertThat(history.at("/2/version").asString()).isEqualTo("1.0.0");
    assertThat(history.at("/2/by").asString()).isEqualTo("ann");
    assertThat(anyone.get(path + "/aliases/never/history").refusal()).isEqualTo("404 not-found");
  }

  @Test
  void invalidAliasIsRefused() throws Exception {
    publish("1.0.0", 1);
    for (String alias : List.of("latest", "x", "1.0.0", "v1", "Stable", "-a", "a_b")) {
      assertThat(ann.put(path + "/aliases/" + alias, Map.of("version", "1.0.0")).refusal())
          .as(alias)
          .isEqualTo("422 invalid");
    }
    assertThat(ann.put(path + "/aliases/stable", Map.of("version", "latest")).refusal())
        .isEqualTo("422 invalid");
    assertThat(ann.put(path + "/aliases/stable", Map.of("version", "2.0.0")).refusal())
        .isEqualTo("422 invalid");
  }

  @Test
  void deletedVersionTakesItsAliasesWithIt() throws Exception {
    publish("1.0.0", 1);
    publish("2.0.0", 2);
    ann.put(path + "/aliases/stable", Map.of("version", "2.0.0"));

    admin.delete(path + "/versions/2.0.0");

    assertThat(resolve("stable")).isEqualTo("404 not-found");
    assertThat(resolve("latest")).isEqualTo("1.0.0");
    assertThat(anyone.get(path + "/versions").json().at("/items")).hasSize(1);
    assertThat(anyone.get(path + "/aliases/stable/history").json().at("/0/version").isNull())
        .isTrue();
  }

  @Test
  void downloadsAreCountedWithDelay() throws Exception {
    publish("1.0.0", 1);
    for (int i = 0; i < 3; i++) {
      anyone.get(path + "/versions/1.0.0/file");
    }
    anyone.head(path + "/versions/1.0.0/file");
    anyone.get(path + "/versions/1.0.0/file", "Range", "bytes=5-");
    anyone.get(path + "/versions/1.0.0/file", "Range", "bytes=0-9");

    String files = "/hf/" + adapter + "/resolve/main/";
    anyone.get(files + "adapter_model.safetensors");
    anyone.get(files + "adapter.nola", "Range", "bytes=0-0");
    anyone.get(files + "adapter.nola", "Range", "bytes=5-");
    anyone.head(files + "adapter_model.safetensors");
    anyone.get(files + "adapter_config.json");

    long end = System.nanoTime() + 30_000_000_000L;
    while (anyone.get(path).json().at("/downloads").asLong() < 6 && System.nanoTime() < end) {
      Thread.sleep(100);
    }
    assertThat(anyone.get(path).json().at("/downloads").asLong()).isEqualTo(6);
    assertThat(anyone.get(path + "/versions/1.0.0").json().at("/downloads").asLong()).isEqualTo(6);
    assertThat(
            anyone
                .get("/api/v1/adapters?namespace=" + adapter.replace("/mood", ""))
                .json()
                .at("/items/0/downloads")
                .asLong())
        .isEqualTo(6);
  }

  @Test
  void descriptionAndVisibilityCanBeChanged() throws Exception {
    publish("1.0.0", 1);
    TestClient bob = admin.account("bob", "publish");
    ann.put(
        "/api/v1/namespaces/" + adapter.replace("/mood", "") + "/members/bob",
        Map.of("role", "member"));
    assertThat(anyone.get(path).text("/description"))
        .isEqualTo("Tells happy reviews from sad ones");

    assertThat(bob.patch(path, Map.of("description", "By Bob")).text("/description"))
        .isEqualTo("By Bob");
    assertThat(bob.patch(path, Map.of("visibility", "private")).refusal())
        .isEqualTo("403 forbidden");
    assertThat(ann.patch(path, Map.of("visibility", "private")).text("/visibility"))
        .isEqualTo("private");

    assertThat(anyone.get(path).refusal()).isEqualTo("404 not-found");
    assertThat(anyone.get(path + "/versions/1.0.0/file").refusal()).isEqualTo("404 not-found");
    assertThat(bob.get(path + "/versions/1.0.0/file").header("Cache-Control"))
        .isEqualTo("private, max-age=31536000, immutable");
    assertThat(ann.patch(path, Map.of("visibility", "secret")).refusal())
        .isEqualTo("400 unreadable");
    assertThat(ann.patch(path, Map.of("colour", "blue")).refusal()).isEqualTo("400 unreadable");
    assertThat(ann.patch(path, Map.of("description", "x".repeat(4001))).refusal())
        .isEqualTo("422 invalid");
  }

  @Test
  void blobsOfPrivateAdaptersDoNotShowThroughOthers() throws Exception {
    byte[] file = Samples.file(77);
    ann.publishPrivate(adapter + "@1.0.0", file);
    TestClient bob = admin.account("bob", "publish");
    String other = bob.namespace() + "/mood";
    bob.publish(other + "@1.0.0", Samples.file(78));
    String digest = Sha256.hash(file).toString();

    for (TestClient client : List.of(anyone, bob)) {
      for (String reference : List.of("1.0.0", "latest", "%5E1", digest)) {
        Answer hidden = client.get(path + "/versions/" + reference);
        assertThat(hidden.refusal()).as(reference).isEqualTo("404 not-found");
        Answer absent = client.get((path + "/versions/" + reference).replace("mood", "nope"));
        assertThat(hidden.text("/detail").replace("mood", "nope"))
            .isEqualTo(absent.text("/detail"));
      }
      assertThat(
              client.get("/api/v1/adapters/" + other + "/versions/" + digest + "/file").refusal())
          .isEqualTo("404 not-found");
    }
    assertThat(ann.get(path + "/versions/" + digest + "/file").bytes()).isEqualTo(file);
  }
}

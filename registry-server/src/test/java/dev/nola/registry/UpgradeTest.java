package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.registry.TestClient.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two servers of an earlier release on one PostgreSQL and one bucket, replaced in turn by those of
 * this version. {@code nola.previous} names the folder of the unpacked release.
 */
@EnabledIfSystemProperty(named = "nola.previous", matches = ".+")
class UpgradeTest {
  private static final Path PREVIOUS = Path.of(System.getProperty("nola.previous", ""));

  @TempDir private Path folder;

  /** Digests by {@code namespace/name@version}. */
  private final Map<String, String> published = new TreeMap<>();

  private final List<ServerProcess> servers = new ArrayList<>();
  private Map<String, String> environment = Map.of();
  private String namespace = "";

  @Test
  void serversAreReplacedInTurn_bothVersionsServe_andNothingIsLost() throws Exception {
    environment = ServerProcess.sharing(TestDatabase.create());
    startPrevious();
    namespace = servers.getFirst().admin().namespace();
    use(servers.getFirst(), servers.getLast(), "before");
    String job = submit(servers.getFirst().admin());
    replace(0); // migrates the database
    use(servers.getFirst(), servers.getLast(), "by-new");
    use(servers.getLast(), servers.getFirst(), "by-old");
    replace(1);
    use(servers.getFirst(), servers.getLast(), "after");

    TestClient admin = servers.getLast().admin();
    assertThat(admin.get("/api/v1/jobs/" + job).text("/state")).isEqualTo("queued");
    assertThat(admin.post("/api/v1/jobs/" + job + "/cancel", Map.of()).status()).isEqualTo(200);
  }

  @AfterEach
  void stop() {
    servers.forEach(ServerProcess::close);
  }

  private void startPrevious() throws Exception {
    for (int i = 0; i < 2; i++) {
      Path data = Files.createDirectories(data(i));
      if (i > 0) {
        for (String key : List.of("signing-key", "webhook-key")) {
          Files.copy(data(0).resolve(key), data.resolve(key));
        }
      }
      servers.add(
          ServerProcess.launchRelease(
              PREVIOUS, ServerProcess.freePort(), data, log(i), environment));
      servers.getLast().awaitReady();
    }
  }

  /** Ends a server of the earlier release, and starts one of this version in its place. */
  private void replace(int i) throws Exception {
    servers.get(i).close();
    servers.set(i, ServerProcess.start(data(i), log(i), environment));
  }

  private Path data(int i) {
    return folder.resolve("data" + i);
  }

  private Path log(int i) {
    return folder.resolve("log" + i);
  }

  /** Writes by one server, and reads by both what was written. */
  private void use(ServerProcess writing, ServerProcess other, String name) throws Exception {
    TestClient writer = writing.admin().account(name, "publish", "read");
    TestClient admin = writing.admin();
    String adapter = namespace + "/" + name;
    for (String version : List.of("1.0.0", "1.1.0")) {
      Answer answer = admin.publish(adapter + "@" + version, Samples.file(published.size()));
      assertThat(answer.status()).as(answer.refusal()).isEqualTo(201);
      published.put(adapter + "@" + version, answer.text("/digest"));
    }
    String path = "/api/v1/adapters/" + adapter;
    assertThat(admin.put(path + "/aliases/prod", Map.of("version", "1.0.0")).status())
        .isLessThan(300);
    assertThat(admin.put(path + "/versions/1.1.0/yank", Map.of("reason", "a test")).status())
        .isLessThan(300);

    String search = "/api/v1/adapters?namespace=%s&q=%s".formatted(namespace, name);
    for (ServerProcess server : List.of(writing, other)) {
      TestClient reader = server.admin().with(writer.token());
      assertThat(reader.get("/api/v1/tokens/current").text("/account")).isEqualTo(name);
      assertThat(reader.get(path + "/versions/prod").text("/version")).isEqualTo("1.0.0");
      assertThat(reader.get(path + "/versions/1.1.0").text("/yanked/reason")).isEqualTo("a test");
      assertThat(reader.get(search).text("/items/0/name")).isEqualTo(name);
      Published.assertAllWhole(reader, namespace, published);
    }
  }

  private String submit(TestClient owner) throws Exception {
    TestObjects.putDataset(owner, namespace + "/glosses", Map.of("train.tsv", "a\tb"));
    Map<String, Object> train =
        Map.of(
            "adapter",
            namespace + "/mood",
            "version",
            "1.0.0",
            "dataset",
            namespace + "/glosses",
            "job",
            Map.of("data", Map.of("train", "train.tsv")));
    Answer answer = owner.post("/api/v1/jobs", Map.of("type", "train", "train", train));
    assertThat(answer.status()).as(answer.refusal()).isEqualTo(201);
    return answer.text("/id");
  }
}

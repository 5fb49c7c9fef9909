package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import dev.nola.registry.blobs.S3Server;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three servers on one PostgreSQL and one bucket, with folders of their own, as nginx sees them.
 */
@EnabledIfSystemProperty(named = "nola.faults", matches = "true")
class ReplicasTest {
  private static final Path NGINX = Path.of(System.getProperty("nola.nginx", "/usr/sbin/nginx"));
  private static final int REPLICAS = 3;

  @TempDir private static Path folder;

  private static final List<ServerProcess> replicas = new ArrayList<>();
  private static Map<String, String> environment = Map.of();
  private static TestDatabase database;

  @BeforeAll
  static void start() throws Exception {
    database = TestDatabase.create();
    environment =
        Map.of(
            "NOLA_DATABASE_URL", database.url(),
            "NOLA_DATABASE_USERNAME", database.username(),
            "NOLA_BLOBS_S3_BUCKET", S3Server.shared().bucket(),
            "NOLA_BLOBS_S3_ENDPOINT", S3Server.shared().endpoint().toString(),
            "NOLA_BLOBS_S3_PATHSTYLE", "true",
            "AWS_ACCESS_KEY_ID", System.getProperty("aws.accessKeyId"),
            "AWS_SECRET_ACCESS_KEY", System.getProperty("aws.secretAccessKey"),
            "NOLA_ACCESS_ANONYMOUSREQUESTSPERMINUTE", "1000000");
    Path first = folder.resolve("data0");
    replicas.add(ServerProcess.start(first, folder.resolve("log0"), environment));
    for (int i = 1; i < REPLICAS; i++) {
      Path data = Files.createDirectories(folder.resolve("data" + i));
      for (String key : List.of("signing-key", "webhook-key")) {
        Files.copy(first.resolve(key), data.resolve(key));
      }
      replicas.add(ServerProcess.launch(data, folder.resolve("log" + i), environment));
    }
    for (ServerProcess replica : replicas) {
      replica.awaitReady();
    }
  }

  @AfterAll
  static void stop() {
    replicas.forEach(ServerProcess::close);
  }

  @Test
  void changeOnOneIsSeenOnOthersWithinItsTime() throws Exception {
    TestClient first = replicas.get(0).admin();
    TestClient second = replicas.get(1).admin();
    TestClient owner = first.account("replicas", "publish");
    String adapter = owner.namespace() + "/mood";
    owner.publish(adapter + "@1.0.0", Samples.file(1));
    String version = "/api/v1/adapters/" + adapter + "/versions/1.0.0";
    TestClient reader = second.with(null);
    assertThat(reader.get(version + "/file").header("Nola-Warning")).isNull();
    assertThat(second.with(owner.token()).get("/api/v1/tokens").status()).isEqualTo(200);

    owner.put(version + "/yank", Map.of("reason", "biased"));
    long yanked = System.nanoTime();
    Await.until(() -> reader.get(version + "/file").header("Nola-Warning") != null);
    assertThat(secondsSince(yanked)).isLessThan(3); // README: 2, and the request itself

    String id = owner.get("/api/v1/tokens/current").text("/id");
    assertThat(first.delete("/api/v1/tokens/" + id).status()).isEqualTo(204);
    long revoked = System.nanoTime();
    Await.until(() -> second.with(owner.token()).get("/api/v1/tokens").status() == 401);
    assertThat(secondsSince(revoked)).isLessThan(6); // README: 5
  }

  private static double secondsSince(long time) {
    return (System.nanoTime() - time) / 1e9;
  }

  @Test
  void taskRunsOnOneServerAtATime() throws Exception {
    String task = "select %s from scheduled_tasks where task_name = 'collect-garbage'";
    long before = database.count(task.formatted("version"));
    database.execute(
        "update scheduled_tasks set execution_time = now() where task_name = 'collect-garbage'");
    Await.until(() -> database.count(task.formatted("(last_success is not null)::int")) == 1);
    Await.until(() -> database.count(task.formatted("picked::int")) == 0);
    // One for the server that takes it, and one for its end.
    assertThat(database.count(task.formatted("version")) - before).isEqualTo(2);
  }

  @Test
  void restartOfEachInTurn_failsNoRequest() throws Exception {
    if (!Files.isExecutable(NGINX)) {
      System.out.println(
          "skipped: no " + NGINX + "; install Debian's package nginx, or set nola.nginx");
    }
    assumeTrue(Files.isExecutable(NGINX), "no nginx is installed");
    int port = ServerProcess.freePort();
    Process nginx = startNginx(port);
    try {
      TestClient client = new TestClient("http://127.0.0.1:" + port, TestRegistry.ADMIN);
      Await.until(() -> isReached(client));
      restartUnderLoad(client);
    } finally {
      nginx.destroy();
      nginx.waitFor();
    }
  }

  private static boolean isReached(TestClient client) throws InterruptedException {
    try {
      return client.get("/api/v1/adapters").status() == 200;
    } catch (IOException _) {
      return false; // not listening yet
    }
  }

  private void restartUnderLoad(TestClient client) throws Exception {
    String namespace = client.namespace();
    byte[] file = Samples.file(1);
    client.publish(namespace + "/read@1.0.0", file);
    String read = "/api/v1/adapters/" + namespace + "/read/versions/1.0.0/file";
    Queue<String> failures = new ConcurrentLinkedQueue<>();
    Map<String, String> acknowledged = new ConcurrentHashMap<>();
    AtomicInteger requests = new AtomicInteger();
    List<Callable<Answer>> kinds =
        List.of(
            () -> client.with(null).get(read),
            () -> client.get("/api/v1/adapters?q=mood"),
            () -> {
              String version =
                  "%s/written@1.%d.0".formatted(namespace, acknowledged.size() + requests.get());
              Answer answer = client.publish(version, Samples.file(version.hashCode()));
              if (answer.status() == 201) {
                acknowledged.put(version, answer.text("/digest"));
              }
              return answer;
            });
    AtomicBoolean stop = new AtomicBoolean();
    try (ExecutorService executor = Executors.newFixedThreadPool(kinds.size())) {
      List<Future<?>> running = new ArrayList<>();
      for (Callable<Answer> kind : kinds) {
        running.add(
            executor.submit(
                () -> {
                  while (!stop.get()) {
                    requests.incrementAndGet();
                    failureOf(kind).ifPresent(failures::add);
                  }
                }));
      }
      for (int i = 0; i < REPLICAS; i++) {
        restart(i, requests);
      }
      stop.set(true);
      for (Future<?> each : running) {
        each.get();
      }
    }
    System.out.printf(
        "three servers restarted in turn: %d requests, %d failed, %d versions published%n",
        requests.get(), failures.size(), acknowledged.size());
    assertThat(failures).isEmpty();
    assertThat(acknowledged).isNotEmpty();
    Published.assertAllWhole(client, namespace, acknowledged);
    assertThat(Sha256.hash(client.get(read).bytes())).isEqualTo(Sha256.hash(file));
  }

  private static Optional<String> failureOf(Callable<Answer> request) {
    try {
      Answer answer = request.call();
      return answer.status() < 300
          ? Optional.empty()
          : Optional.of(answer.status() + " " + new String(answer.bytes()));
    } catch (Exception e) {
      return Optional.of(e.toString());
    }
  }

  private void restart(int i, AtomicInteger requests) throws Exception {
    ServerProcess old = replicas.get(i);
    old.close();
    ServerProcess fresh =
        ServerProcess.launch(
            old.port(),
            List.of(),
            folder.resolve("data" + i),
            folder.resolve("log" + i),
            environment);
    replicas.set(i, fresh);
    fresh.awaitReady();
    int before = requests.get();
    Await.until(() -> requests.get() > before + 100);
  }

  /** With the upstream of deploy/nginx/nola.conf, which reuses connections. */
  private Process startNginx(int port) throws IOException {
    String servers =
        replicas.stream()
            .map(replica -> "server 127.0.0.1:%d;".formatted(replica.port()))
            .collect(Collectors.joining(" "));
    Path configuration =
        Files.writeString(
            folder.resolve("nginx.conf"),
            """
            daemon off; worker_processes 1; pid %1$s/nginx.pid; user %4$s;
            error_log %1$s/nginx.err;
            events {}
            http {
              access_log off;
              client_body_temp_path %1$s/b; proxy_temp_path %1$s/p; fastcgi_temp_path %1$s/f;
              uwsgi_temp_path %1$s/u; scgi_temp_path %1$s/s;
              upstream nola { %3$s keepalive 64; }
              server {
                listen 127.0.0.1:%2$d;
                client_max_body_size 0;
                location / {
                  proxy_pass http://nola;
                  proxy_http_version 1.1;
                  proxy_set_header Connection "";
                  proxy_set_header Host $host;
                  proxy_request_buffering off;
                  proxy_buffering off;
                }
              }
            }
            """
                .formatted(folder, port, servers, System.getProperty("user.name")));
    return new ProcessBuilder(
            NGINX.toString(),
            "-e",
            folder.resolve("nginx.err").toString(),
            "-c",
            configuration.toString())
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("nginx.log").toFile())
        .start();
  }
}

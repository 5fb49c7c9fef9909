package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
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

  /** Enough that a few hold a connection which is about to be closed. */
  private static final int WRITERS = 8;

  @TempDir private static Path folder;

  private static final List<ServerProcess> replicas = new ArrayList<>();
  private static Map<String, String> environment = Map.of();
  private static TestDatabase database;

  @BeforeAll
  static void start() throws Exception {
    database = TestDatabase.create();
    environment = ServerProcess.sharing(database);
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
    int readPort = ServerProcess.freePort();
    int writePort = ServerProcess.freePort();
    Process nginx = startNginx(readPort, writePort);
    try {
      TestClient reader = new TestClient("http://127.0.0.1:" + readPort, TestRegistry.ADMIN);
      TestClient writer = new TestClient("http://127.0.0.1:" + writePort, TestRegistry.ADMIN);
      Await.until(() -> isReached(reader) && isReached(writer));
      restartUnderLoad(reader, writer);
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

  private void restartUnderLoad(TestClient reader, TestClient writer) throws Exception {
    String namespace = writer.namespace();
    byte[] file = Samples.file(1);
    writer.publish(namespace + "/read@1.0.0", file);
    String read = "/api/v1/adapters/" + namespace + "/read/versions/1.0.0/file";
    Queue<String> failures = new ConcurrentLinkedQueue<>();
    Map<String, String> acknowledged = new ConcurrentHashMap<>();
    AtomicInteger requests = new AtomicInteger();
    List<Callable<Answer>> clients = new ArrayList<>();
    clients.add(() -> reader.with(null).get(read));
    clients.add(() -> reader.get("/api/v1/adapters?q=mood"));
    AtomicInteger written = new AtomicInteger();
    Callable<Answer> publication =
        () -> {
          String version = namespace + "/written@1.%d.0".formatted(written.incrementAndGet());
          Answer answer = writer.publish(version, Samples.file(version.hashCode()));
          if (answer.status() == 201) {
            acknowledged.put(version, answer.text("/digest"));
          }
          return answer;
        };
    clients.addAll(Collections.nCopies(WRITERS, publication));
    AtomicBoolean stop = new AtomicBoolean();
    try (ExecutorService executor = Executors.newFixedThreadPool(clients.size())) {
      List<Future<?>> running = new ArrayList<>();
      for (Callable<Answer> client : clients) {
        running.add(
            executor.submit(
                () -> {
                  while (!stop.get()) {
                    requests.incrementAndGet();
                    failureOf(client).ifPresent(failures::add);
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
    assertThat(failures).as(Files.readString(folder.resolve("nginx.err"))).isEmpty();
    assertThat(acknowledged).isNotEmpty();
    Published.assertAllWhole(reader, namespace, acknowledged);
    assertThat(Sha256.hash(reader.get(read).bytes())).isEqualTo(Sha256.hash(file));
  }

  private static Optional<String> failureOf(Callable<Answer> request) {
    try {
      Answer answer = request.call();
      return answer.status() < 300
          ? Optional.empty()
          : Optional.of(answer.status() + " " + new String(answer.bytes()));
    } catch (Exception | AssertionError e) { // the latter if the answer is not as in openapi.yaml
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

  /**
   * With the upstream of deploy/nginx/nola.conf, which reuses connections. nginx repeats a read
   * elsewhere and then avoids the server for a while, which must not spare the writes: they have an
   * upstream of their own.
   */
  private Process startNginx(int readPort, int writePort) throws IOException {
    String servers =
        replicas.stream()
            .map(replica -> "server 127.0.0.1:%d;".formatted(replica.port()))
            .collect(Collectors.joining(" "));
    Path configuration =
        Files.writeString(
            folder.resolve("nginx.conf"),
            """
            daemon off; worker_processes 1; pid %1$s/nginx.pid; user %3$s;
            error_log %1$s/nginx.err;
            events {}
            http {
              access_log off;
              client_body_temp_path %1$s/b; proxy_temp_path %1$s/p; fastcgi_temp_path %1$s/f;
              uwsgi_temp_path %1$s/u; scgi_temp_path %1$s/s;
              client_max_body_size 0;
              proxy_http_version 1.1;
              proxy_set_header Connection "";
              proxy_set_header Host $host;
              proxy_request_buffering off;
              proxy_buffering off;
              upstream reads { %2$s keepalive 64; }
              upstream writes { %2$s keepalive 64; }
              server { listen 127.0.0.1:%4$d; location / { proxy_pass http://reads; } }
              server { listen 127.0.0.1:%5$d; location / { proxy_pass http://writes; } }
            }
            """
                .formatted(folder, servers, System.getProperty("user.name"), readPort, writePort));
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

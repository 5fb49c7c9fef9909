package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * Publishing and training while the server, its PostgreSQL, or both at once are killed: three times
 * here, fifty in the profile {@code soak}.
 */
class CrashTest {
  private static final int CRASHES = Integer.getInteger("nola.crashes", 3);
  private static final int PUBLISHERS = 3;

  /** What is killed, in turn. */
  private enum Kill {
    SERVER,
    DATABASE,
    BOTH
  }

  private static final Map<String, Object> TRAINER =
      Map.of(
          "worker",
          "crash-test",
          "key",
          "",
          "types",
          List.of("train"),
          "backends",
          List.of(),
          "cuda",
          false,
          "memoryBytes",
          4L << 30,
          "models",
          List.of(),
          "max",
          1,
          "waitSeconds",
          0);

  @TempDir private Path folder;

  private final Map<String, String> acknowledged = new ConcurrentHashMap<>();
  private final Map<String, String> finishedJobs = new ConcurrentHashMap<>();
  private final Map<String, Long> submittedJobs = new ConcurrentHashMap<>();
  private final AtomicInteger interrupted = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();
  private final AtomicInteger next = new AtomicInteger();
  private String namespace = "";

  @Test
  @Tag("long")
  void acknowledgedVersionsAndJobsSurviveEveryCrash() throws Exception {
    Path data = folder.resolve("data");
    Path log = folder.resolve("log");
    ServerProcess server = ServerProcess.start(data, log);
    long slowest = 0;
    try {
      namespace = server.admin().namespace();
      TestObjects.putDataset(server.admin(), namespace + "/glosses", Map.of("train.tsv", "a\tb"));
      TestClient worker = server.admin().account("worker", "worker");
      for (int crash = 0; crash < CRASHES; crash++) {
        Kill kill = Kill.values()[crash % Kill.values().length];
        Semaphore published = new Semaphore(0);
        AtomicBoolean stop = new AtomicBoolean();
        TestClient client = server.admin();
        TestClient trainer = client.with(worker.token());
        try (ExecutorService executor = Executors.newFixedThreadPool(PUBLISHERS + 1)) {
          List<Future<?>> running = new ArrayList<>();
          for (int p = 0; p < PUBLISHERS; p++) {
            String adapter = namespace + "/a" + p;
            running.add(
                executor.submit(() -> repeat(stop, () -> publish(client, adapter, published))));
          }
          running.add(executor.submit(() -> repeat(stop, () -> train(client, trainer))));
          // Not always after as many, while the others are at whatever point they are.
          assertThat(published.tryAcquire(20 + 7 * (crash % 10), 120, TimeUnit.SECONDS))
              .as("published before crash %d", crash)
              .isTrue();
          long begin = System.nanoTime();
          switch (kill) {
            case SERVER -> server.kill();
            case DATABASE -> {
              server.killDatabase(data);
              server.awaitReady();
              slowest = Math.max(slowest, System.nanoTime() - begin);
            }
            case BOTH -> server.killWithDatabase(data);
          }
          stop.set(true);
          for (Future<?> future : running) {
            future.get();
          }
        }
        if (kill != Kill.DATABASE) {
          server = ServerProcess.start(data, log);
        }
        assertAllWhole(server.admin());
      }
      JsonNode scrub = server.admin().post("/api/v1/admin/scrub", "").json();
      assertThat(scrub.at("/corrupt")).isEmpty();
      assertThat(scrub.at("/missing")).isEmpty();
      System.out.printf(
          "%d crashes: %d versions acknowledged, %d of them by %d jobs; %d clients interrupted,"
              + " %d requests refused; the database was back after %d ms at most%n",
          CRASHES,
          acknowledged.size(),
          finishedJobs.size(),
          submittedJobs.size(),
          interrupted.get(),
          refused.get(),
          TimeUnit.NANOSECONDS.toMillis(slowest));
    } finally {
      server.close();
    }
  }

  private void assertAllWhole(TestClient client) throws Exception {
    Published.assertAllWhole(client, namespace, acknowledged);
    for (String job : submittedJobs.keySet()) {
      Answer answer = client.get(JobTest.JOBS + "/" + job);
      assertThat(answer.status()).as("job %s", job).isEqualTo(200);
      if (finishedJobs.containsKey(job)) {
        assertThat(answer.text("/state")).as("job %s", job).isEqualTo("succeeded");
      }
    }
  }

  private Void repeat(AtomicBoolean stop, Callable<Boolean> step) throws Exception {
    boolean alive = true;
    while (alive && !stop.get()) {
      alive = step.call();
    }
    if (!alive) {
      interrupted.incrementAndGet();
    }
    return null;
  }

  /** Publishes one version; false when the server is gone. */
  private boolean publish(TestClient client, String adapter, Semaphore published)
      throws InterruptedException {
    int number = next.getAndIncrement();
    String version = adapter + "@1." + number + ".0";
    try {
      Answer answer = client.publish(version, Samples.file(number));
      if (answer.status() == 201) {
        acknowledged.put(version, answer.text("/digest"));
        published.release();
      } else {
        refused.incrementAndGet();
      }
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  /** Submits a training, and runs one: with a checkpoint and a result; false without a server. */
  private boolean train(TestClient client, TestClient worker) throws InterruptedException {
    int number = next.getAndIncrement();
    try {
      Answer submitted =
          client.post(
              JobTest.JOBS,
              Map.of(
                  "type",
                  "train",
                  "train",
                  Map.of(
                      "adapter",
                      namespace + "/trained",
                      "version",
                      "1." + number + ".0",
                      "dataset",
                      namespace + "/glosses",
                      "job",
                      Map.of("data", Map.of("train", "train.tsv")))));
      if (submitted.status() != 201) {
        refused.incrementAndGet();
        return true;
      }
      submittedJobs.put(submitted.text("/id"), (long) number);
      Answer leases = worker.post(JobTest.JOBS + "/lease", TRAINER);
      for (JsonNode lease : leases.json().at("/leases")) {
        run(worker, lease);
      }
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  private void run(TestClient worker, JsonNode lease) throws IOException, InterruptedException {
    String job = lease.at("/job/id").asString();
    long fence = lease.at("/fence").asLong();
    byte[] file = Samples.file(1_000_000 + next.getAndIncrement());
    put(worker, job, "checkpoint", fence, new byte[50_000 + (int) (fence % 100)]);
    Answer result = put(worker, job, "result", fence, file);
    if (result.status() == 200 && result.text("/state").equals("succeeded")) {
      String version = lease.at("/job/request/train/version").asString();
      finishedJobs.put(job, version);
      acknowledged.put(namespace + "/trained@" + version, Sha256.hash(file).toString());
    } else {
      refused.incrementAndGet();
    }
  }

  private static Answer put(TestClient worker, String job, String what, long fence, byte[] bytes)
      throws IOException, InterruptedException {
    return worker.send(
        "PUT",
        JobTest.JOBS + "/" + job + "/" + what + "?fence=" + fence,
        BodyPublishers.ofByteArray(bytes),
        "Content-Type",
        "application/octet-stream");
  }
}

package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Publishing while the server is killed and started again: three times here, fifty in the profile
 * {@code soak}. Every third time its PostgreSQL is killed with it.
 */
class CrashTest {
  private static final int CRASHES = Integer.getInteger("nola.crashes", 3);
  private static final int PUBLISHERS = 3;

  @TempDir private Path folder;

  @Test
  void acknowledgedVersionsSurviveEveryCrash() throws Exception {
    Path data = folder.resolve("data");
    Path log = folder.resolve("log");
    Map<String, String> acknowledged = new ConcurrentHashMap<>();
    AtomicInteger interrupted = new AtomicInteger();
    AtomicInteger next = new AtomicInteger();
    ServerProcess server = ServerProcess.start(data, log);
    try {
      String namespace = server.admin().namespace();
      for (int crash = 0; crash < CRASHES; crash++) {
        Semaphore published = new Semaphore(0);
        TestClient client = server.admin();
        try (ExecutorService executor = Executors.newFixedThreadPool(PUBLISHERS)) {
          List<Future<?>> running = new ArrayList<>();
          for (int p = 0; p < PUBLISHERS; p++) {
            String adapter = namespace + "/a" + p;
            running.add(
                executor.submit(
                    () -> {
                      boolean alive = true;
                      while (alive) {
                        int number = next.getAndIncrement();
                        alive = publish(client, adapter, number, acknowledged, published);
                      }
                      interrupted.incrementAndGet();
                      return null;
                    }));
          }
          // Not always after as many, while the others are at whatever point they are.
          assertThat(published.tryAcquire(20 + 7 * (crash % 10), 60, TimeUnit.SECONDS))
              .as("published before crash %d", crash)
              .isTrue();
          if (crash % 3 == 2) {
            server.killWithDatabase(data);
          } else {
            server.kill();
          }
          for (Future<?> future : running) {
            future.get();
          }
        }
        server = ServerProcess.start(data, log);
        Published.assertAllWhole(server.admin(), namespace, acknowledged);
      }
      assertThat(server.admin().post("/api/v1/admin/scrub", "").json().at("/corrupt")).isEmpty();
      System.out.printf(
          "%d crashes, %d versions acknowledged, %d publishers interrupted%n",
          CRASHES, acknowledged.size(), interrupted.get());
    } finally {
      server.close();
    }
  }

  /** Publishes one version; false when the server is gone. */
  private static boolean publish(
      TestClient client,
      String adapter,
      int number,
      Map<String, String> acknowledged,
      Semaphore published)
      throws InterruptedException {
    String version = adapter + "@1." + number + ".0";
    try {
      TestClient.Answer answer = client.publish(version, Samples.file(number));
      if (answer.status() == 201) {
        acknowledged.put(version, answer.text("/digest"));
        published.release();
      }
      return true;
    } catch (IOException _) {
      return false;
    }
  }
}

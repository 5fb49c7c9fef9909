package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Publishing while the connections to the database are cut again and again. */
class CutConnectionTest {
  private static final int PUBLISHERS = 4;
  private static final int VERSIONS = 60;

  @Test
  void acknowledgedVersionsArePresentAndOthersWholeOrAbsent() throws Exception {
    try (TestRegistry registry = TestRegistry.start()) {
      TestClient admin = registry.admin();
      String namespace = admin.namespace();
      Map<String, String> acknowledged = new ConcurrentHashMap<>();
      AtomicInteger refused = new AtomicInteger();
      try (ExecutorService executor = Executors.newFixedThreadPool(PUBLISHERS)) {
        List<Future<?>> running = new ArrayList<>();
        for (int p = 0; p < PUBLISHERS; p++) {
          String adapter = namespace + "/a" + p;
          long seed = 1000L * p;
          running.add(
              executor.submit(
                  () -> {
                    for (int v = 0; v < VERSIONS; v++) {
                      String version = adapter + "@1." + v + ".0";
                      TestClient.Answer answer = admin.publish(version, Samples.file(seed + v));
                      if (answer.status() == 201) {
                        acknowledged.put(version, answer.text("/digest"));
                      } else {
                        assertThat(answer.refusal()).isEqualTo("503 unavailable");
                        refused.incrementAndGet();
                      }
                    }
                    return null;
                  }));
        }
        while (!running.stream().allMatch(Future::isDone)) {
          registry.database().endConnections();
          Thread.sleep(150);
        }
        for (Future<?> future : running) {
          future.get();
        }
      }

      // The pool looks whether a connection is alive once it has not been used for half a second.
      Thread.sleep(1000);
      // Otherwise nothing was put to the test.
      assertThat(refused.get()).isPositive();
      assertThat(acknowledged).isNotEmpty();
      Published.assertAllWhole(admin, namespace, acknowledged);
      // What was refused can simply be sent again.
      for (int p = 0; p < PUBLISHERS; p++) {
        for (int v = 0; v < VERSIONS; v++) {
          byte[] file = Samples.file(1000L * p + v);
          String version = namespace + "/a" + p + "@1." + v + ".0";
          TestClient.Answer answer = admin.publish(version, file);
          assertThat(answer.status()).isIn(200, 201);
          assertThat(answer.text("/digest")).isEqualTo(Sha256.hash(file).toString());
        }
      }
    }
  }
}

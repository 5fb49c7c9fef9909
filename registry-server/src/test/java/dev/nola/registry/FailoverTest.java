package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nola.registry.TestClient.Answer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** The primary of two PostgreSQL ends under load, and the standby is promoted. */
@EnabledIfSystemProperty(named = "nola.faults", matches = "true")
class FailoverTest {
  private static final int PUBLISHERS = 3;
  private static final int VERSIONS = 40;
  private static final Duration LONGEST = Duration.ofSeconds(30);

  @TempDir private Path folder;

  private final Map<String, String> acknowledged = new ConcurrentHashMap<>();
  private final Set<String> refusals = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean stop = new AtomicBoolean();

  @Test
  void standbyHasEveryAcknowledgedVersion_andRequestsFailForSecondsOnly() throws Exception {
    Optional<Path> programs = InstalledPostgres.programs();
    if (programs.isEmpty()) {
      System.out.println("skipped: no PostgreSQL in /usr/lib; install Debian's postgresql");
    }
    assumeTrue(programs.isPresent(), "no PostgreSQL is installed");
    try (InstalledPostgres primary = InstalledPostgres.start(programs.get());
        InstalledPostgres standby = primary.startStandby();
        ServerProcess server =
            ServerProcess.start(
                folder.resolve("data"), folder.resolve("log"), primary.settings(standby))) {
      String namespace = server.admin().namespace();
      long outage = failOver(server, namespace, primary, standby);
      Published.assertAllWhole(server.admin(), namespace, acknowledged);
      assertThat(refusals).isSubsetOf("503 unavailable");
      assertThat(Duration.ofNanos(outage)).isLessThan(LONGEST);
      System.out.printf(
          "fail-over: %d versions acknowledged, none lost; %.1f s until the next one%n",
          acknowledged.size(), outage / 1e9);
    }
  }

  private long failOver(
      ServerProcess server, String namespace, InstalledPostgres primary, InstalledPostgres standby)
      throws Exception {
    try (ExecutorService executor = Executors.newFixedThreadPool(PUBLISHERS)) {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < PUBLISHERS; i++) {
        String adapter = namespace + "/a" + i;
        running.add(executor.submit(() -> publish(server, adapter)));
      }
      Await.until(() -> acknowledged.size() >= VERSIONS);
      primary.kill();
      long killed = System.nanoTime();
      int before = acknowledged.size();
      standby.promote();
      Await.until(() -> acknowledged.size() > before);
      long outage = System.nanoTime() - killed;
      Await.until(() -> acknowledged.size() >= before + VERSIONS);
      stop.set(true);
      for (Future<?> each : running) {
        each.get();
      }
      return outage;
    }
  }

  private Void publish(ServerProcess server, String adapter) throws Exception {
    for (int i = 0; !stop.get(); i++) {
      String version = adapter + "@1." + i + ".0";
      Answer answer = server.admin().publish(version, Samples.file(version.hashCode()));
      if (answer.status() == 201) {
        acknowledged.put(version, answer.text("/digest"));
      } else {
        refusals.add(answer.refusal());
      }
    }
    return null;
  }
}

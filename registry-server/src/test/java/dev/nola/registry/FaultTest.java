package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** Faults that take long to bring about: in the profile {@code soak} only. */
@EnabledIfSystemProperty(named = "nola.faults", matches = "true")
class FaultTest {
  private static final int KILLS = 4;

  @TempDir private Path folder;

  private final Map<String, String> acknowledged = new ConcurrentHashMap<>();

  private static void assertSound(TestClient client) throws Exception {
    JsonNode scrub = client.post("/api/v1/admin/scrub", "").json();
    assertThat(scrub.at("/corrupt")).isEmpty();
    assertThat(scrub.at("/missing")).isEmpty();
  }

  /** The blobs alone, or everything, PostgreSQL included, on a small file system. */
  @ParameterizedTest
  @CsvSource({"data/blobs, 1m, 20m", "data, 130m, 260m"})
  void fullDisk_isRefusedWith507AndLosesNothing(String mounted, String small, String large)
      throws Exception {
    Path mount = Files.createDirectories(folder.resolve(mounted));
    assumeTrue(shell("mount -t tmpfs -o size=" + small + ",mode=700 tmpfs '" + mount + "'"));
    try (ServerProcess server =
        ServerProcess.start(folder.resolve("data"), folder.resolve("log"))) {
      String namespace = server.admin().namespace();
      Map<Integer, Integer> statuses = new ConcurrentHashMap<>();
      int full = 0;
      for (int i = 0; full < 20; i++) {
        int status = upload(server, namespace, i, mounted.equals("data") ? 2_000_000 : 50_000);
        status = status == 201 ? publish(server, namespace, i) : status;
        statuses.merge(status, 1, Integer::sum);
        full += status == 201 ? 0 : 1;
      }
      assertThat(statuses).containsKey(507).containsKey(201);
      // PostgreSQL may itself have ended for want of space.
      assertThat(statuses.keySet()).isSubsetOf(201, 507, 503);

      assertThat(shell("mount -o remount,size=" + large + " '" + mount + "'")).isTrue();
      server.awaitReady();

      assertThat(publish(server, namespace, 1_000_000)).isEqualTo(201);
      Published.assertAllWhole(server.admin(), namespace, acknowledged);
      assertSound(server.admin());
      System.out.printf("full disk (%s): answers by status %s%n", mounted, statuses);
    } finally {
      shell("umount -l '" + mount + "'");
    }
  }

  private int publish(ServerProcess server, String namespace, int number) throws Exception {
    String version = "%s/a@1.%d.0".formatted(namespace, number);
    Answer answer = server.admin().publish(version, Samples.file(number));
    if (answer.status() == 201) {
      acknowledged.put(version, answer.text("/digest"));
    } else if (answer.status() == 507) {
      assertThat(answer.refusal()).isEqualTo("507 disk-full");
    }
    return answer.status();
  }

  private static int upload(ServerProcess server, String namespace, int number, int size)
      throws Exception {
    byte[] bytes = new byte[size];
    new Random(number).nextBytes(bytes);
    return server
        .admin()
        .send(
            "PUT",
            "/api/v1/datasets/%s/filler/files/%s".formatted(namespace, Sha256.hash(bytes)),
            BodyPublishers.ofByteArray(bytes),
            "Content-Type",
            "application/octet-stream")
        .status();
  }

  private static boolean shell(String command) throws IOException, InterruptedException {
    return new ProcessBuilder("sh", "-c", command).start().waitFor() == 0;
  }

  @Test
  void databaseThatDoesNotStartAgain_endsTheServer() throws Exception {
    Path data = folder.resolve("data");
    ServerProcess server = ServerProcess.start(data, folder.resolve("log"));
    Path cluster = data.resolve("postgres/cluster");
    Files.move(cluster.resolve("global"), cluster.resolve("lost"));
    server.killDatabase(data);

    assertThat(server.waitFor()).isEqualTo(1);
    assertThat(Files.readString(server.log()))
        .contains("PostgreSQL has ended, and is started again")
        .contains("PostgreSQL does not start again, attempt 10: ")
        .doesNotContain("attempt 11")
        .contains("PostgreSQL has ended and does not start again: the server ends");
  }

  @Test
  void replicaThatIsKilled_losesNothingAndDoesNotStopTheOther() throws Exception {
    TestDatabase database = TestDatabase.create();
    Map<String, String> environment =
        Map.of("NOLA_DATABASE_URL", database.url(), "NOLA_DATABASE_USERNAME", database.username());
    Path data = folder.resolve("data");
    Path log = folder.resolve("log");
    AtomicInteger failures = new AtomicInteger();
    try (ServerProcess stays = ServerProcess.start(data, log, environment)) {
      String namespace = stays.admin().namespace();
      for (int kill = 0; kill < KILLS; kill++) {
        ServerProcess killed = ServerProcess.start(data, log, environment);
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger ofTheOther = new AtomicInteger();
        int round = kill;
        try (ExecutorService executor = Executors.newFixedThreadPool(4)) {
          List<Future<?>> running = new ArrayList<>();
          for (int p = 0; p < 4; p++) {
            int publisher = p;
            ServerProcess server = p % 2 == 0 ? stays : killed;
            running.add(
                executor.submit(
                    () -> {
                      for (int i = 0; !stop.get(); i++) {
                        // The same bytes by both replicas, under different adapters.
                        String version = "%s/a%d@%d.%d.0".formatted(namespace, publisher, round, i);
                        try {
                          Answer answer =
                              server.admin().publish(version, Samples.file(round * 10_000 + i));
                          if (answer.status() == 201) {
                            acknowledged.put(version, answer.text("/digest"));
                          } else {
                            failures.incrementAndGet();
                          }
                          if (server == stays) {
                            ofTheOther.incrementAndGet();
                          }
                        } catch (IOException _) {
                          if (server == stays) {
                            throw new AssertionError("the other replica ended, too");
                          }
                          return null;
                        }
                      }
                      return null;
                    }));
          }
          while (ofTheOther.get() < 20) {
            Thread.sleep(20);
          }
          killed.kill();
          int before = ofTheOther.get();
          while (ofTheOther.get() < before + 20) {
            Thread.sleep(20);
          }
          stop.set(true);
          for (Future<?> future : running) {
            future.get();
          }
        }
      }
      assertThat(failures).hasValue(0);
      Published.assertAllWhole(stays.admin(), namespace, acknowledged);
      assertSound(stays.admin());
      System.out.printf(
          "two replicas, one killed %d times: %d versions acknowledged, 0 refused%n",
          KILLS, acknowledged.size());
    }
  }
}

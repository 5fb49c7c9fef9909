package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.attestation.AttestationReport.Item;
import dev.nola.digest.Sha256;
import dev.nola.format.Metadata;
import dev.nola.registry.TestClient.Answer;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Transactions that lock the same rows, at once: none may fail, and none need be repeated. */
class DeadlockTest {
  private static final int ADAPTERS = 4;
  private static final int ROUNDS = 12;
  private static final int QUOTA = 40_000;

  private static TestRegistry registry;

  @BeforeAll
  static void start() throws Exception {
    registry = TestRegistry.start("nola.catalog.namespace-quota=" + QUOTA + "B");
  }

  @AfterAll
  static void stop() {
    registry.close();
  }

  @Test
  void sameBytesUnderSeveralAdaptersAtOnce_areAllPublished() throws Exception {
    TestClient ann = registry.admin().account("ann", "publish");
    String namespace = ann.namespace();
    long before = rolledBack();
    List<Callable<List<Integer>>> publishers = new ArrayList<>();
    for (int p = 0; p < ADAPTERS; p++) {
      int publisher = p;
      publishers.add(
          () -> {
            List<Integer> statuses = new ArrayList<>();
            for (int round = 0; round < ROUNDS; round++) {
              for (int file = 0; file < 2; file++) {
                // Two files, which the publishers take in different orders.
                int number = 1000 + (file + publisher) % 2;
                String version = "%s/a%d@%d.%d.0".formatted(namespace, publisher, round, file);
                statuses.add(ann.publish(version, Samples.file(number)).status());
              }
            }
            return statuses;
          });
    }

    assertThat(inParallel(publishers)).allSatisfy(all -> assertThat(all).containsOnly(201));

    assertThat(rolledBack()).isEqualTo(before);
  }

  @Test
  void attestationsYanksAndPublicationsOfSharedFilesAtOnce_allSucceed() throws Exception {
    TestClient admin = registry.admin();
    TestClient ann = admin.account("ann", "publish");
    String namespace = ann.namespace();
    int files = 6;
    for (int adapter = 0; adapter < ADAPTERS; adapter++) {
      for (int file = 0; file < files; file++) {
        String version = "%s/a%d@1.%d.0".formatted(namespace, adapter, file);
        assertThat(ann.publish(version, Samples.file(2000 + file)).status()).isEqualTo(201);
      }
    }
    Map<String, byte[]> byDigest = new HashMap<>();
    for (int file = 0; file < files; file++) {
      byte[] bytes = Samples.file(2000 + file);
      byDigest.put(Sha256.hash(bytes).toString(), bytes);
    }
    long before = rolledBack();
    List<Callable<List<Integer>>> parties = new ArrayList<>();
    for (int w = 0; w < 3; w++) {
      TestWorker worker = TestWorker.approved(admin);
      parties.add(
          () -> {
            List<Integer> statuses = new ArrayList<>();
            for (int round = 0; round < 4; round++) {
              List<Item> items = new ArrayList<>();
              for (TestWorker.Task task : worker.lease(TestWorker.ALL)) {
                byte[] bytes = byDigest.get(task.digest());
                if (bytes != null) {
                  items.add(
                      new Item(
                          task.job(),
                          task.fence(),
                          worker.sign(task, worker.reconstruct(task, bytes)),
                          null));
                }
              }
              if (!items.isEmpty()) {
                statuses.add(worker.report(items).status());
              }
            }
            return statuses;
          });
    }
    for (int a = 0; a < ADAPTERS; a++) {
      String adapter = namespace + "/a" + a;
      int first = a;
      parties.add(
          () -> {
            List<Integer> statuses = new ArrayList<>();
            for (int round = 0; round < ROUNDS; round++) {
              String version = "%s@2.%d.0".formatted(adapter, round);
              byte[] bytes = Samples.file(2000 + (round + first) % files);
              statuses.add(ann.publish(version, bytes).status() - 1);
              String path = "/api/v1/adapters/" + version.replace("@", "/versions/");
              statuses.add(ann.put(path + "/yank", Map.of("reason", "test")).status());
            }
            return statuses;
          });
    }

    assertThat(inParallel(parties)).allSatisfy(all -> assertThat(all).containsOnly(200));

    assertThat(rolledBack()).isEqualTo(before);
  }

  @Test
  void victimOfADeadlock_isRepeatedAndLogged() throws Exception {
    TestClient ann = registry.admin().account("ann", "publish");
    String namespace = ann.namespace();
    for (String adapter : List.of("a", "b")) {
      ann.publish(namespace + "/" + adapter + "@1.0.0", Samples.file(3000));
    }
    long before = rolledBack();
    CountDownLatch locked = new CountDownLatch(1);
    try (ExecutorService executor = Executors.newFixedThreadPool(2);
        Connection outside = registry.database().connect();
        Statement statement = outside.createStatement()) {
      outside.setAutoCommit(false);
      // The server waits for the deadlock first, and so is its victim.
      statement.execute("set local deadlock_timeout = '60s'");
      statement.execute(lock(namespace, "b"));
      Future<Answer> publication =
          executor.submit(
              () -> {
                locked.countDown();
                return ann.publish(namespace + "/a@2.0.0", Samples.file(3000));
              });
      locked.await();
      awaitWaiting();
      statement.execute(lock(namespace, "a"));
      outside.rollback();

      assertThat(publication.get(60, TimeUnit.SECONDS).status()).isEqualTo(201);
    }

    assertThat(rolledBack()).isEqualTo(before + 1);
  }

  @Test
  void uploadsAtOnce_stayWithinTheQuota() throws Exception {
    TestClient ann = registry.admin().account("ann", "publish");
    String namespace = ann.namespace();
    List<Callable<Integer>> uploads = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      byte[] bytes = new byte[QUOTA / 2 - 2_000];
      bytes[0] = (byte) (i + 1);
      String path = "/api/v1/datasets/%s/glosses/files/%s".formatted(namespace, Sha256.hash(bytes));
      uploads.add(
          () ->
              ann.send(
                      "PUT",
                      path,
                      BodyPublishers.ofByteArray(bytes),
                      "Content-Type",
                      "application/octet-stream")
                  .status());
    }
    for (int i = 0; i < 6; i++) {
      byte[] file = Samples.file(4000 + i, Metadata.of("x".repeat(3_900), "classification", "MIT"));
      String version = "%s/a%d@1.0.0".formatted(namespace, i);
      uploads.add(() -> ann.publish(version, file).status());
    }

    List<Integer> statuses = inParallel(uploads);

    assertThat(statuses).contains(201).containsOnly(201, 422);
    assertThat(
            registry
                .database()
                .count(
                    """
                    select coalesce((select sum(b.size) from object_blob b
                        join namespace n on n.id = b.namespace_id where n.name = '%1$s'), 0)
                      + coalesce((select sum(v.size) from version v
                        join adapter a on a.id = v.adapter_id
                        join namespace n on n.id = a.namespace_id where n.name = '%1$s'), 0)"""
                        .formatted(namespace)))
        .isBetween(QUOTA / 2L, (long) QUOTA);
  }

  private static String lock(String namespace, String adapter) {
    return "select from adapter a join namespace n on n.id = a.namespace_id where n.name = '"
        + namespace
        + "' and a.name = '"
        + adapter
        + "' for update of a";
  }

  private static void awaitWaiting() throws Exception {
    String waiting =
        "select count(*) from pg_stat_activity where datname = current_database()"
            + " and wait_event_type = 'Lock'";
    while (registry.database().count(waiting) == 0) {
      Thread.sleep(20);
    }
  }

  /** Transactions that PostgreSQL has rolled back because of others. */
  private static long rolledBack() throws Exception {
    String metrics =
        new String(registry.admin().get("/actuator/prometheus").bytes(), StandardCharsets.UTF_8);
    Matcher counter =
        Pattern.compile("(?m)^nola_transactions_rolledback_total\\{.*} (.*)$").matcher(metrics);
    double sum = 0;
    int found = 0;
    while (counter.find()) {
      sum += Double.parseDouble(counter.group(1));
      found++;
    }
    assertThat(found).as("counters").isEqualTo(2);
    return (long) sum;
  }

  private static <T> List<T> inParallel(List<Callable<T>> all) throws Exception {
    try (ExecutorService executor = Executors.newFixedThreadPool(all.size())) {
      List<T> results = new ArrayList<>();
      for (Future<T> future : executor.invokeAll(all)) {
        results.add(future.get());
      }
      return results;
    }
  }
}

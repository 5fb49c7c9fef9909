package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Jobs and leases across restarts of the server. */
class JobRestartTest extends JobTest {
  @Test
  void jobsAndLeasesOutliveTheServer() throws Exception {
    TestDatabase database = TestDatabase.create();
    Path data = Files.createTempDirectory("nola-registry");
    TestRegistry first = TestRegistry.start(database, data);
    TestClient firstAdmin = first.admin();
    String name = firstAdmin.namespace();
    TestObjects.putDataset(firstAdmin, name + "/d", Map.of("a", "a"));
    Map<String, Object> train =
        Map.of(
            "adapter", name + "/mood", "version", "1.0.0", "dataset", name + "/d", "job", Map.of());
    String job = firstAdmin.post(JOBS, Map.of("type", "train", "train", train)).text("/id");
    long fence = lease(firstAdmin, trainer("w")).at("/leases/0/fence").asLong();
    put(firstAdmin, job, "checkpoint", fence, bytes("step 1"));
    first.closeKeepingData();
    // It was away for longer than a lease: that is not the worker's fault.
    leaveAlone(database, "1 minute");
    try (TestRegistry second = TestRegistry.start(database, data)) {
      TestClient secondAdmin = second.admin();
      awaitRounds(database, 2);
      assertThat(secondAdmin.get(JOBS + "/" + job).text("/state")).isEqualTo("running");
      assertThat(
              secondAdmin
                  .post(
                      JOBS + "/" + job + "/heartbeat",
                      Map.of("fence", fence, "log", List.of(), "metrics", List.of()))
                  .status())
          .isEqualTo(200);
      assertThat(put(secondAdmin, job, "result", fence, Samples.file(1)).text("/state"))
          .isEqualTo("succeeded");
    }
  }

  /** Also if a lease is shorter than the time that a server takes to start. */
  @Test
  void shortLeaseOutlivesTheServer() throws Exception {
    TestDatabase database = TestDatabase.create();
    Path data = Files.createTempDirectory("nola-registry");
    String setting = "nola.jobs.lease=6s";
    TestRegistry first = TestRegistry.start(database, data, setting);
    TestClient firstAdmin = first.admin();
    String name = firstAdmin.namespace();
    TestObjects.putDataset(firstAdmin, name + "/d", Map.of("a", "a"));
    Map<String, Object> train =
        Map.of(
            "adapter", name + "/mood", "version", "1.0.0", "dataset", name + "/d", "job", Map.of());
    String job = firstAdmin.post(JOBS, Map.of("type", "train", "train", train)).text("/id");
    long fence = lease(firstAdmin, trainer("w")).at("/leases/0/fence").asLong();
    first.closeKeepingData();
    leaveAlone(database, "4 seconds");
    try (TestRegistry second = TestRegistry.start(database, data, setting)) {
      awaitRounds(database, 2);
      assertThat(
              second
                  .admin()
                  .post(
                      JOBS + "/" + job + "/heartbeat",
                      Map.of("fence", fence, "log", List.of(), "metrics", List.of()))
                  .status())
          .isEqualTo(200);
    }
  }

  @Test
  void leaseOfASilentWorkerExpiresByItself() throws Exception {
    try (TestRegistry quick = TestRegistry.start("nola.jobs.lease=1s")) {
      TestClient firstAdmin = quick.admin();
      String name = firstAdmin.namespace();
      TestObjects.putDataset(firstAdmin, name + "/d", Map.of("a", "a"));
      Map<String, Object> train =
          Map.of(
              "adapter",
              name + "/mood",
              "version",
              "1.0.0",
              "dataset",
              name + "/d",
              "job",
              Map.of());
      String id = firstAdmin.post(JOBS, Map.of("type", "train", "train", train)).text("/id");
      long old = lease(firstAdmin, trainer("frozen")).at("/leases/0/fence").asLong();

      JsonNode next =
          lease(firstAdmin, TestObjects.with(trainer("next"), "waitSeconds", 30)).at("/leases/0");

      assertThat(next.at("/job/id").asString()).isEqualTo(id);
      assertThat(next.at("/fence").asLong()).isGreaterThan(old);
      assertThat(put(firstAdmin, id, "result", old, Samples.file(1)).refusal())
          .isEqualTo("409 lease-lost");
    }
  }
}

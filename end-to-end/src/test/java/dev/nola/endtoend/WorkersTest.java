package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.api.Scope;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobState;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.ObjectKind;
import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.jobs.JobsClient;
import dev.nola.client.jobs.WorkerClient;
import dev.nola.client.registry.NolaClient;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.trainer.job.JobFile;
import dev.nola.trainer.training.TrainingRun;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** Workers as processes and a real registry, killed, frozen and restarted. */
class WorkersTest {
  @TempDir private Path folder = Path.of("");

  /** Trains a job locally, without registry and worker. */
  private byte[] trainedHere(Map<String, Object> job) throws IOException, InterruptedException {
    Path file = folder.resolve("data/job.yaml");
    Files.write(file, JsonMapper.shared().writeValueAsBytes(job));
    Path output = folder.resolve("here-" + UUID.randomUUID() + ".nola");
    new TrainingRun(JobFile.read(file), output, false, (_, _, _) -> {}).run();
    return Files.readAllBytes(output);
  }

  @Test
  @Tag("long")
  void everyJobEndsOnceDespiteFailuresOfWorkersAndRegistry() throws Exception {
    try (Registry registry =
        Registry.start(
            "nola.jobs.lease=6s", "nola.jobs.backoff=1s", "nola.verification.backends=scalar")) {
      String namespace = Registry.freshName();
      try (NolaClient owner = registry.owner(namespace, folder.resolve("cache"));
          WorkerProcess killed = WorkerProcess.start(registry, folder, "killed", 1);
          WorkerProcess frozen = WorkerProcess.start(registry, folder, "frozen", 1);
          WorkerProcess _ = WorkerProcess.start(registry, folder, "steady", 1)) {
        JobsClient jobs = owner.jobs();
        owner
            .objects()
            .upload(ObjectKind.DATASET, namespace + "/thirds", Thirds.data(folder), "thirds");
        Map<UUID, Map<String, Object>> all = new LinkedHashMap<>();
        Map<String, UUID> byWorker = new LinkedHashMap<>();
        for (int i = 1; i <= 3; i++) {
          Map<String, Object> job = Thirds.job(i, 4000, 200);
          all.put(jobs.submit(Thirds.request(namespace, i + ".0.0", job)).id(), job);
        }
        for (UUID id : all.keySet()) {
          Waiting.until("progress of " + id, () -> Thirds.done(jobs.get(id)) > 400);
          byWorker.put(String.valueOf(jobs.get(id).worker()), id);
        }
        assertThat(byWorker).containsOnlyKeys("killed", "frozen", "steady");

        List<ProcessHandle> orphans = killed.children();
        assertThat(orphans).isNotEmpty();
        killed.kill();
        frozen.freeze();
        Waiting.until(
            "end of the killed worker's processes",
            () -> orphans.stream().noneMatch(ProcessHandle::isAlive));
        registry.restart(Duration.ofSeconds(3));

        UUID moved = byWorker.get("frozen");
        Waiting.until("another worker taking over", () -> jobs.get(moved).attempts() > 1);
        frozen.thaw();
        Waiting.until(
            "the frozen worker giving up", () -> frozen.output().contains(moved + ": lost"));
        for (UUID id : all.keySet()) {
          Waiting.until("end of " + id, () -> jobs.get(id).state().isEnd());
        }
        int version = 0;
        for (Map.Entry<UUID, Map<String, Object>> each : all.entrySet()) {
          JobDetails job = jobs.get(each.getKey());
          assertThat(job.state())
              .as("%s: %s", job.id(), job.reason())
              .isEqualTo(JobState.SUCCEEDED);
          Reference published =
              new Reference(new AdapterName(namespace, "mood"), ++version + ".0.0");
          requireEqual(
              "%s, attempt %d, by %s".formatted(published, job.attempts(), job.worker()),
              Files.readAllBytes(owner.pull(published, Progress.NONE).path()),
              trainedHere(each.getValue()));
        }
        assertThat(jobs.get(byWorker.get("killed")).attempts()).isGreaterThan(1);
        assertThat(owner.adapters().versions(new AdapterName(namespace, "mood"), null).items())
            .hasSize(3);
        assertLatePublisherIsRefused(registry, moved);
        Waiting.until(
            "verification by a worker",
            () ->
                owner
                        .adapters()
                        .version(new Reference(new AdapterName(namespace, "mood"), "1.0.0"))
                        .attestations()
                        .independent()
                    > 0);
      }
    }
  }

  /** Compares two files part by part first, so that a failure names the part that differs. */
  private static void requireEqual(String what, byte[] published, byte[] expected)
      throws IOException {
    Adapter actualAdapter = AdapterFile.read(published).adapter();
    Adapter expectedAdapter = AdapterFile.read(expected).adapter();
    assertThat(actualAdapter.metadata()).as(what).isEqualTo(expectedAdapter.metadata());
    assertThat(actualAdapter.layers()).as(what).isEqualTo(expectedAdapter.layers());
    for (int i = 0; i < expectedAdapter.dense().size(); i++) {
      assertThat(actualAdapter.dense().get(i).data().toArray(ValueLayout.JAVA_BYTE))
          .as("%s, %s", what, expectedAdapter.dense().get(i).name())
          .isEqualTo(expectedAdapter.dense().get(i).data().toArray(ValueLayout.JAVA_BYTE));
    }
    assertThat(published).as(what).isEqualTo(expected);
  }

  private void assertLatePublisherIsRefused(Registry registry, UUID job) throws Exception {
    Path late = Files.writeString(folder.resolve("late"), "late");
    try (NolaClient frozen =
        registry.client(registry.token("frozen", Scope.WORKER), folder.resolve("cache"))) {
      assertThatThrownBy(() -> frozen.worker().putResult(job, 1, late))
          .isInstanceOfSatisfying(
              RegistryException.class,
              refusal -> assertThat(WorkerClient.isLeaseLost(refusal)).isTrue());
    }
  }
}

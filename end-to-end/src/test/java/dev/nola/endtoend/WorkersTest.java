package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.api.Scope;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobProgress;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import dev.nola.client.Progress;
import dev.nola.client.jobs.JobsClient;
import dev.nola.client.jobs.ObjectKind;
import dev.nola.client.jobs.WorkerClient;
import dev.nola.client.registry.AdapterName;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Reference;
import dev.nola.client.registry.RegistryException;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.trainer.job.JobFile;
import dev.nola.trainer.training.TrainingRun;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** Workers as processes, a real registry, and what may happen to both. */
class WorkersTest {
  private static final int SIDE = 6;
  private static final int CANCELLED = 8;
  private static final int PUBLISHED = 12;

  @TempDir private Path folder = Path.of("");

  /** A job of some seconds, of a picture of 6×6 which third of it is bright. */
  private static Map<String, Object> job(int seed, int steps, int checkpointEvery) {
    Map<String, Object> run = new LinkedHashMap<>();
    run.put("batch", 32);
    run.put("threads", 1);
    run.put("steps", steps);
    run.put("checkpointEvery", checkpointEvery);
    return new LinkedHashMap<>(
        Map.of(
            "model",
            Map.of("mlp", List.of(SIDE * SIDE, 24, 3)),
            "task",
            "classification",
            "seed",
            seed,
            "data",
            Map.of(
                "format", "idx",
                "train", "train-images",
                "trainLabels", "train-labels",
                "validation", "validation-images",
                "validationLabels", "validation-labels"),
            "method",
            Map.of("name", "nola", "rank", 6, "k", 16, "l", 16, "bits", 4),
            "optimizer",
            Map.of("learningRate", 0.01),
            "run",
            run));
  }

  private static void images(Path folder, String name, int count, long seed) throws IOException {
    Random random = new Random(seed);
    ByteBuffer images = ByteBuffer.allocate(16 + count * SIDE * SIDE);
    ByteBuffer labels = ByteBuffer.allocate(8 + count);
    images.putInt(0x803).putInt(count).putInt(SIDE).putInt(SIDE);
    labels.putInt(0x801).putInt(count);
    for (int i = 0; i < count; i++) {
      int label = random.nextInt(3);
      labels.put((byte) label);
      for (int pixel = 0; pixel < SIDE * SIDE; pixel++) {
        boolean bright = pixel / (SIDE * SIDE / 3) == label;
        images.put((byte) (random.nextInt(150) + (bright ? 90 : 0)));
      }
    }
    Files.write(folder.resolve(name + "-images"), images.array());
    Files.write(folder.resolve(name + "-labels"), labels.array());
  }

  private Path data() throws IOException {
    Path data = Files.createDirectories(folder.resolve("data"));
    images(data, "train", 240, 1);
    images(data, "validation", 60, 2);
    return data;
  }

  private static JobRequest request(String namespace, String version, Map<String, Object> job) {
    return new JobRequest(
        JobType.TRAIN,
        null,
        new JobRequest.Train(
            namespace + "/mood", version, null, null, namespace + "/thirds", job, null, null, 600),
        null,
        null);
  }

  /** What a job trains to without registry and worker. */
  private byte[] trainedHere(Map<String, Object> job) throws IOException, InterruptedException {
    Path file = folder.resolve("data/job.yaml");
    Files.write(file, JsonMapper.shared().writeValueAsBytes(job));
    Path output = folder.resolve("here-" + UUID.randomUUID() + ".nola");
    new TrainingRun(JobFile.read(file), output, false, (_, _, _) -> {}).run();
    return Files.readAllBytes(output);
  }

  private static long done(JobDetails job) {
    JobProgress progress = job.progress();
    return progress == null ? 0 : progress.done();
  }

  @Test
  void everyJobEndsOnceWhateverHappensToWorkersAndRegistry() throws Exception {
    try (Registry registry =
        Registry.start(
            "nola.jobs.lease=6s", "nola.jobs.backoff=1s", "nola.verification.backends=scalar")) {
      String namespace = Registry.freshName();
      try (NolaClient owner = registry.owner(namespace, folder.resolve("cache"));
          WorkerProcess killed = WorkerProcess.start(registry, folder, "killed", 1);
          WorkerProcess frozen = WorkerProcess.start(registry, folder, "frozen", 1);
          WorkerProcess _ = WorkerProcess.start(registry, folder, "steady", 1)) {
        JobsClient jobs = new JobsClient(owner);
        jobs.upload(ObjectKind.DATASET, namespace + "/thirds", data(), "thirds");
        Map<UUID, Map<String, Object>> all = new LinkedHashMap<>();
        Map<String, UUID> byWorker = new LinkedHashMap<>();
        for (int i = 1; i <= 3; i++) {
          Map<String, Object> job = job(i, 6000, 200);
          all.put(jobs.submit(request(namespace, i + ".0.0", job)).id(), job);
        }
        for (UUID id : all.keySet()) {
          Waiting.until("progress of " + id, () -> done(jobs.get(id)) > 500);
          byWorker.put(String.valueOf(jobs.get(id).worker()), id);
        }
        assertThat(byWorker).containsOnlyKeys("killed", "frozen", "steady");

        List<ProcessHandle> orphans = killed.children();
        assertThat(orphans).isNotEmpty();
        killed.kill();
        frozen.freeze();
        Waiting.until(
            "the end of orphans", () -> orphans.stream().noneMatch(ProcessHandle::isAlive));
        registry.restart(Duration.ofSeconds(3));

        UUID moved = byWorker.get("frozen");
        Waiting.until("another worker for it", () -> jobs.get(moved).attempts() > 1);
        frozen.thaw();
        Waiting.until("its surrender", () -> frozen.output().contains(moved + ": lost"));
        for (UUID id : all.keySet()) {
          Waiting.until("the end of " + id, () -> jobs.get(id).state().isEnd());
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
        assertThat(owner.versions(new AdapterName(namespace, "mood"), null).items()).hasSize(3);
        assertLatePublisherIsRefused(registry, moved);
        Waiting.until(
            "verification by a worker",
            () ->
                owner
                        .version(new Reference(new AdapterName(namespace, "mood"), "1.0.0"))
                        .attestations()
                        .independent()
                    > 0);
      }
    }
  }

  /** Says in what two files differ before it compares their bytes. */
  private static void requireEqual(String what, byte[] published, byte[] expected)
      throws IOException {
    Adapter there = AdapterFile.read(published).adapter();
    Adapter here = AdapterFile.read(expected).adapter();
    assertThat(there.metadata()).as(what).isEqualTo(here.metadata());
    assertThat(there.layers()).as(what).isEqualTo(here.layers());
    for (int i = 0; i < here.dense().size(); i++) {
      assertThat(there.dense().get(i).data().toArray(ValueLayout.JAVA_BYTE))
          .as("%s, %s", what, here.dense().get(i).name())
          .isEqualTo(here.dense().get(i).data().toArray(ValueLayout.JAVA_BYTE));
    }
    assertThat(published).as(what).isEqualTo(expected);
  }

  private void assertLatePublisherIsRefused(Registry registry, UUID job) throws Exception {
    Path late = Files.writeString(folder.resolve("late"), "late");
    try (NolaClient frozen =
        registry.client(registry.token("frozen", Scope.WORKER), folder.resolve("cache"))) {
      assertThatThrownBy(() -> new WorkerClient(frozen).putResult(job, 1, late))
          .isInstanceOfSatisfying(
              RegistryException.class,
              refusal -> assertThat(WorkerClient.isLeaseLost(refusal)).isTrue());
    }
  }

  @Test
  void aCancelledJobStopsSoonAndLeavesNoVersion() throws Exception {
    Registry registry = Registry.shared();
    String namespace = Registry.freshName();
    try (NolaClient owner = registry.owner(namespace, folder.resolve("cache"));
        WorkerProcess worker = WorkerProcess.start(registry, folder, "canceller", 1)) {
      JobsClient jobs = new JobsClient(owner);
      jobs.upload(ObjectKind.DATASET, namespace + "/thirds", data(), null);
      List<Duration> times = new ArrayList<>();
      for (int i = 0; i < CANCELLED; i++) {
        UUID id = jobs.submit(request(namespace, "1.0.0", job(i, 10_000_000, 500))).id();
        Waiting.until("progress", () -> done(jobs.get(id)) > 0);
        long asked = System.nanoTime();
        jobs.cancel(id);
        Waiting.until("its end", () -> jobs.get(id).state() == JobState.CANCELLED);
        Waiting.until("no process", () -> worker.children().isEmpty());
        times.add(Duration.ofNanos(System.nanoTime() - asked));
      }
      times.sort(null);
      System.out.println("from the wish to cancel to the end of all processes: " + times);
      assertThat(times.getLast()).isLessThan(Duration.ofSeconds(20)); // 5 on a quiet machine
      assertThatThrownBy(() -> owner.adapter(new AdapterName(namespace, "mood")))
          .isInstanceOf(RegistryException.class);
    }
  }

  @Test
  void twoServersOnOneDatabaseActAsOne() throws Exception {
    String namespace = Registry.freshName();
    try (Registry first = Registry.start("nola.verification.backends=scalar,vector");
        Registry second = first.replica();
        NolaClient owner = first.owner(namespace, folder.resolve("cache"));
        NolaClient other =
            second.client(second.token(namespace, Scope.PUBLISH), folder.resolve("other"));
        WorkerProcess here = WorkerProcess.start(first, folder, "here", 1);
        WorkerProcess there = WorkerProcess.start(second, folder, "there", 1)) {
      JobsClient jobs = new JobsClient(owner);
      JobsClient otherJobs = new JobsClient(other);
      AdapterName small = new AdapterName(namespace, "small");
      for (int i = 0; i < PUBLISHED; i++) {
        NolaClient client = i % 2 == 0 ? owner : other;
        client.publish(small, "1.0." + i, Samples.small(folder, i), Progress.NONE);
      }
      Map<String, String> verified =
          Map.of("namespace", namespace, "state", "succeeded", "limit", "100");
      Waiting.until(
          "verifications", () -> otherJobs.list(verified, null).items().size() == 2 * PUBLISHED);
      assertThat(jobs.list(verified, null).items()).allMatch(job -> job.attempts() == 1);
      for (int i = 0; i < PUBLISHED; i++) {
        NolaClient client = i % 2 == 0 ? other : owner; // not where it was published
        Reference reference = new Reference(small, "1.0." + i);
        assertThat(client.version(reference).attestations().backends())
            .containsExactly("scalar", "vector");
        assertThat(Files.mismatch(client.pull(reference, Progress.NONE).path(), published(i)))
            .isEqualTo(-1);
      }

      jobs.upload(ObjectKind.DATASET, namespace + "/thirds", data(), null);
      List<UUID> endless = new ArrayList<>();
      for (int i = 1; i <= 2; i++) {
        endless.add(jobs.submit(request(namespace, i + ".0.0", job(i, 10_000_000, 0))).id());
      }
      Waiting.until("one job each", () -> done(otherJobs.get(endless.getFirst())) > 0);
      Waiting.until("one job each", () -> done(otherJobs.get(endless.getLast())) > 0);
      assertThat(endless)
          .extracting(job -> otherJobs.get(job).worker())
          .containsExactlyInAnyOrder("here", "there");
      for (UUID job : endless) {
        boolean takenHere = "here".equals(jobs.get(job).worker());
        (takenHere ? otherJobs : jobs).cancel(job); // not where its worker asks
        Waiting.until("its end", () -> jobs.get(job).state() == JobState.CANCELLED);
        WorkerProcess worker = takenHere ? here : there;
        Waiting.until("no process", () -> worker.children().isEmpty());
      }
    }
  }

  private Path published(int seed) {
    return folder.resolve("sample-" + seed + AdapterFile.EXTENSION);
  }

  @Test
  void aPoisonedJobFailsAndTheNextIsDone() throws Exception {
    Registry registry = Registry.shared();
    String namespace = Registry.freshName();
    try (NolaClient owner = registry.owner(namespace, folder.resolve("cache"));
        WorkerProcess worker = WorkerProcess.start(registry, folder, "taster", 1)) {
      JobsClient jobs = new JobsClient(owner);
      jobs.upload(ObjectKind.DATASET, namespace + "/thirds", data(), null);
      JobRequest.Train greedy =
          new JobRequest.Train(
              namespace + "/mood",
              "1.0.0",
              null,
              null,
              namespace + "/thirds",
              job(1, 10_000_000, 0),
              null,
              80_000_000L, // less than PyTorch alone needs
              600);
      UUID poisoned = jobs.submit(new JobRequest(JobType.TRAIN, null, greedy, null, null)).id();
      UUID good = jobs.submit(request(namespace, "2.0.0", job(2, 10, 0))).id();
      Waiting.until("the good one's end", () -> jobs.get(good).state().isEnd());
      assertThat(jobs.get(good).state()).isEqualTo(JobState.SUCCEEDED);
      assertThat(jobs.get(poisoned).state()).isEqualTo(JobState.FAILED);
      assertThat(jobs.get(poisoned).reason()).contains("memory limit");
      assertThat(worker.output()).contains("memory limit");
    }
  }
}

package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.ObjectKind;
import dev.nola.client.RegistryException;
import dev.nola.client.jobs.JobsClient;
import dev.nola.client.registry.NolaClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs that end before they are finished. */
class StoppedJobsTest {
  private static final int CANCELLED = 2;

  @TempDir private Path folder = Path.of("");

  @Test
  void cancelledJobStopsSoonAndLeavesNoVersion() throws Exception {
    Registry registry = Registry.shared();
    String namespace = Registry.freshName();
    try (NolaClient owner = registry.owner(namespace, folder.resolve("cache"));
        WorkerProcess worker = WorkerProcess.start(registry, folder, "canceller", 1)) {
      JobsClient jobs = owner.jobs();
      owner.objects().upload(ObjectKind.DATASET, namespace + "/thirds", Thirds.data(folder), null);
      List<Duration> times = new ArrayList<>();
      for (int i = 0; i < CANCELLED; i++) {
        UUID id =
            jobs.submit(Thirds.request(namespace, "1.0.0", Thirds.job(i, 10_000_000, 500))).id();
        Waiting.until("progress", () -> Thirds.done(jobs.get(id)) > 0);
        long requested = System.nanoTime();
        jobs.cancel(id);
        Waiting.until("end of the job", () -> jobs.get(id).state() == JobState.CANCELLED);
        Waiting.until("end of its process", () -> worker.children().isEmpty());
        times.add(Duration.ofNanos(System.nanoTime() - requested));
      }
      times.sort(null);
      System.out.println("from the cancel request to the end of all processes: " + times);
      assertThat(times.getLast()).isLessThan(Duration.ofSeconds(20)); // 5 on a quiet machine
      assertThatThrownBy(() -> owner.adapters().get(new AdapterName(namespace, "mood")))
          .isInstanceOf(RegistryException.class);

      worker.end();
      assertThat(jobs.workers(null).items())
          .filteredOn(listed -> listed.name().equals("canceller"))
          .as("signed off, and so not idle for another minute")
          .singleElement()
          .matches(listed -> !listed.active());
    }
  }

  @Test
  void jobBeyondItsMemoryLimitFailsAndTheNextSucceeds() throws Exception {
    Registry registry = Registry.shared();
    String namespace = Registry.freshName();
    try (NolaClient owner = registry.owner(namespace, folder.resolve("cache"));
        WorkerProcess worker = WorkerProcess.start(registry, folder, "taster", 1)) {
      JobsClient jobs = owner.jobs();
      owner.objects().upload(ObjectKind.DATASET, namespace + "/thirds", Thirds.data(folder), null);
      JobRequest.Train greedy =
          new JobRequest.Train(
              namespace + "/mood",
              "1.0.0",
              null,
              null,
              namespace + "/thirds",
              Thirds.job(1, 10_000_000, 0),
              null,
              80_000_000L, // less than PyTorch alone needs
              600);
      UUID poisoned = jobs.submit(new JobRequest(null, greedy)).id();
      UUID good = jobs.submit(Thirds.request(namespace, "2.0.0", Thirds.job(2, 10, 0))).id();
      Waiting.until("end of the good job", () -> jobs.get(good).state().isEnd());
      assertThat(jobs.get(good).state()).isEqualTo(JobState.SUCCEEDED);
      assertThat(jobs.get(poisoned).state()).isEqualTo(JobState.FAILED);
      assertThat(jobs.get(poisoned).reason()).contains("memory limit");
      assertThat(worker.output()).contains("memory limit");
    }
  }
}

package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.Scope;
import dev.nola.api.job.JobState;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.ObjectKind;
import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.jobs.JobsClient;
import dev.nola.client.registry.NolaClient;
import dev.nola.format.AdapterFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Servers that share a database and a folder. */
class ReplicasTest {
  private static final int PUBLISHED = 12;

  @TempDir private Path folder = Path.of("");

  @Test
  void twoServersOnOneDatabaseActAsOne() throws Exception {
    String namespace = Registry.freshName();
    try (Registry first = Registry.start("nola.verification.backends=scalar,vector");
        Registry second = first.replica();
        NolaClient owner = first.owner(namespace, folder.resolve("cache"));
        NolaClient other =
            second.client(second.token(namespace, Scope.PUBLISH), folder.resolve("other"));
        WorkerProcess firstWorker = WorkerProcess.start(first, folder, "here", 1);
        WorkerProcess secondWorker = WorkerProcess.start(second, folder, "there", 1)) {
      JobsClient jobs = owner.jobs();
      JobsClient otherJobs = other.jobs();
      AdapterName small = new AdapterName(namespace, "small");
      for (int i = 0; i < PUBLISHED; i++) {
        NolaClient client = i % 2 == 0 ? owner : other;
        client.adapters().publish(small, "1.0." + i, Samples.small(folder, i), Progress.NONE);
      }
      Map<String, String> verified =
          Map.of("namespace", namespace, "state", "succeeded", "limit", "100");
      Waiting.until(
          "verifications", () -> otherJobs.list(verified, null).items().size() == 2 * PUBLISHED);
      assertThat(jobs.list(verified, null).items()).allMatch(job -> job.attempts() == 1);
      for (int i = 0; i < PUBLISHED; i++) {
        NolaClient client = i % 2 == 0 ? other : owner; // not the server it was published on
        Reference reference = new Reference(small, "1.0." + i);
        assertThat(client.adapters().version(reference).attestations().backends())
            .containsExactly("scalar", "vector");
        assertThat(Files.mismatch(client.pull(reference, Progress.NONE).path(), published(i)))
            .isEqualTo(-1);
      }

      owner.objects().upload(ObjectKind.DATASET, namespace + "/thirds", Thirds.data(folder), null);
      List<UUID> endless = new ArrayList<>();
      for (int i = 1; i <= 2; i++) {
        endless.add(
            jobs.submit(Thirds.request(namespace, i + ".0.0", Thirds.job(i, 10_000_000, 0))).id());
      }
      Waiting.until("one job per worker", () -> Thirds.done(otherJobs.get(endless.getFirst())) > 0);
      Waiting.until("one job per worker", () -> Thirds.done(otherJobs.get(endless.getLast())) > 0);
      assertThat(endless)
          .extracting(job -> otherJobs.get(job).worker())
          .containsExactlyInAnyOrder("here", "there");
      for (UUID job : endless) {
        boolean takenHere = "here".equals(jobs.get(job).worker());
        (takenHere ? otherJobs : jobs).cancel(job); // not the server its worker uses
        Waiting.until("end of the job", () -> jobs.get(job).state() == JobState.CANCELLED);
        WorkerProcess worker = takenHere ? firstWorker : secondWorker;
        Waiting.until("end of its process", () -> worker.children().isEmpty());
      }
    }
  }

  private Path published(int seed) {
    return folder.resolve("sample-" + seed + AdapterFile.EXTENSION);
  }
}

package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.name.AdapterName;
import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.jobs.JobsClient;
import dev.nola.client.registry.NolaClient;
import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Measures how many small verifications a worker with four slots completes per second, with
 * registry and database on the same machine, and checks that none is lost or done twice. Not part
 * of the build: {@code mvn test -pl end-to-end -am -Dtest=VerificationThroughput
 * -Dsurefire.failIfNoSpecifiedTests=false -Dnola.files=3334}
 */
class VerificationThroughput {
  private static final int FILES = Integer.getInteger("nola.files", 3334);
  private static final int BACKENDS = 3;
  private static final int PUBLISHERS = 4;

  @TempDir private Path folder = Path.of("");

  @Test
  void manySmallVerificationsAreDoneOnce() throws Exception {
    try (Registry registry = Registry.startWithOwnDatabase();
        NolaClient owner = registry.owner("many", folder.resolve("cache"))) {
      AdapterName name = new AdapterName("many", "small");
      publish(owner, name);
      JobsClient jobs = owner.jobs();
      long total = (long) FILES * BACKENDS;
      try (WorkerProcess worker = WorkerProcess.start(registry, folder, "four", 4)) {
        long started = System.nanoTime();
        Duration serverBefore = cpu(ProcessHandle.current());
        Duration databaseBefore = databaseCpu(registry);
        Waiting.until(
            "all verifications",
            () ->
                jobs.list(Map.of("state", "queued", "limit", "1"), null).items().isEmpty()
                    && jobs.list(Map.of("state", "running", "limit", "1"), null).items().isEmpty());
        double seconds = Duration.ofNanos(System.nanoTime() - started).toMillis() / 1000.0;
        System.out.printf(
            "%,d verifications in %.1f s: %.0f per second; CPU each: registry %.2f ms, PostgreSQL"
                + " %.2f ms, worker (including its start) %.2f ms%n",
            total,
            seconds,
            total / seconds,
            1.0 * cpu(ProcessHandle.current()).minus(serverBefore).toMillis() / total,
            1.0 * databaseCpu(registry).minus(databaseBefore).toMillis() / total,
            1.0 * cpu(worker.process()).toMillis() / total);
      }
      int succeeded = 0;
      String cursor = null;
      do {
        var page = jobs.list(Map.of("state", "succeeded", "limit", "100"), cursor);
        succeeded += page.items().size();
        assertThat(page.items()).allMatch(job -> job.attempts() == 1);
        cursor = page.next();
      } while (cursor != null);
      assertThat(succeeded).isEqualTo(total);
      for (int i = 0; i < FILES; i += 100) {
        assertThat(
                owner.adapters().version(new Reference(name, "1.0." + i)).attestations().backends())
            .containsExactly("scalar", "torch", "vector");
      }
    }
  }

  private void publish(NolaClient owner, AdapterName name) throws Exception {
    try (ExecutorService publishers = Executors.newFixedThreadPool(PUBLISHERS)) {
      List<Callable<Void>> all = new ArrayList<>();
      for (int i = 0; i < FILES; i++) {
        int number = i;
        all.add(
            () -> {
              owner.adapters().publish(name, "1.0." + number, file(number), Progress.NONE);
              return null;
            });
      }
      for (Future<Void> published : publishers.invokeAll(all)) {
        published.get();
      }
    }
  }

  private static Duration cpu(ProcessHandle process) {
    return process.info().totalCpuDuration().orElseThrow();
  }

  /** Returns the CPU time of PostgreSQL's main process and its running children. */
  private static Duration databaseCpu(Registry registry) throws IOException {
    ProcessHandle first = ProcessHandle.of(registry.databaseProcess()).orElseThrow();
    return Stream.concat(Stream.of(first), first.descendants())
        .flatMap(process -> process.info().totalCpuDuration().stream())
        .reduce(Duration.ZERO, Duration::plus);
  }

  /** Writes a file of half a kilobyte: two layers of 128×64. */
  private Path file(int number) throws Exception {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.SRHT).seed(number);
    for (int i = 0; i < 2; i++) {
      adapter.layer(
          new Layer(
              "layers." + i + ".q_proj.weight",
              List.of(128, 64),
              null,
              128,
              64,
              i,
              0x1p-12f,
              new LowRank(
                  4, Codes.of(4, 1, 2, 3, 4, 5, 6, 7, 8), Codes.of(4, 8, 7, 6, 5, 4, 3, 2, 1))));
    }
    Path file = folder.resolve(number + ".nola");
    Files.write(file, Reconstructor.standard().seal(adapter.build()).toBytes());
    return file;
  }
}

package dev.nola.trainer.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.api.attestation.AttestationReport;
import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Proof;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.SigningKey;
import dev.nola.api.attestation.Statement;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.job.JobFailure;
import dev.nola.api.job.LeaseRequest;
import dev.nola.api.job.ObjectDetails;
import dev.nola.api.job.ObjectManifest;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.gpu.CudaDevice;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.trainer.Jobs;
import dev.nola.trainer.StandInDriver;
import dev.nola.trainer.job.JobFile;
import dev.nola.trainer.training.TrainingRun;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.Yaml;

/** A worker, with a registry's answers on a real port and real processes for its tasks. */
class WorkerTest {
  private static final Path VECTORS = Path.of("../format-spec/vectors");
  private static final long GIGABYTE = 1L << 30;
  private static final String NOLA = "name: nola\nrank: 6\nk: 16\nl: 16\nbits: 4\n";
  private static final String LORA = "name: lora\nrank: 4\nbits: 4\nquantizationAware: true\n";

  /** The driver's error of a kernel that writes where it may not. */
  private static final int ILLEGAL_ADDRESS = 700;

  private static final String ENDLESS = "steps: 10000000\n";

  @TempDir private Path folder = Path.of("");

  private final SigningKey key = SigningKey.generate();
  private final List<String> log = new CopyOnWriteArrayList<>();
  private final List<Running> running = new ArrayList<>();
  private final StubRegistry registry;

  WorkerTest() throws IOException {
    registry = new StubRegistry();
  }

  /** A worker at work. */
  private record Running(Worker worker, Thread thread) {
    void stop() throws IOException, InterruptedException {
      thread.interrupt();
      thread.join();
      worker.close();
    }
  }

  @BeforeEach
  void folders() throws IOException {
    Files.createDirectories(folder.resolve("data"));
  }

  @AfterEach
  void stop() throws IOException, InterruptedException {
    for (Running each : running) {
      each.stop();
    }
    registry.close();
    assertThat(hasNoProcess()).as("no process of a task is left").isTrue();
  }

  private boolean hasNoProcess() {
    return ProcessHandle.current()
        .descendants()
        .noneMatch(
            each ->
                each.isAlive() && each.info().commandLine().orElse("").contains(folder.toString()));
  }

  private Running start(String name) throws IOException {
    return start(name, Backends.open(1, log::add), null);
  }

  private Running start(String name, Backends backends, @Nullable Path models) throws IOException {
    Worker worker =
        new Worker(
            new RegistryAccess(registry.url(), "token", false),
            new WorkerSettings(
                name, 2, 2 * GIGABYTE, 4 * GIGABYTE, folder.resolve("work-" + name), models),
            key,
            this::log,
            backends);
    Thread thread = Thread.ofPlatform().start(() -> run(worker));
    Running started = new Running(worker, thread);
    running.add(started);
    return started;
  }

  private void log(String line) {
    log.add(line);
    System.out.println(line); // shown when a test fails
  }

  private void run(Worker worker) {
    try {
      worker.run();
    } catch (InterruptedException _) {
      log.add("stopped");
    } catch (IOException e) {
      log.add("ended: " + e);
    }
  }

  /** A job, and a job file that trains the same without a worker. */
  private record Sample(Map<String, Object> job, Path file) {
    byte[] trainedHere() throws IOException, InterruptedException {
      Path output = file.resolveSibling("here.nola");
      new TrainingRun(JobFile.read(file), output, false, (_, _, _) -> {}).run();
      return Files.readAllBytes(output);
    }
  }

  private Sample sample(String run) throws IOException {
    return sample(NOLA, run);
  }

  private Sample sample(String method, String run) throws IOException {
    Path file = Jobs.write(folder.resolve("data"), method, run);
    Map<String, Object> job = new Yaml().load(Files.readString(file));
    Path hidden = folder.resolve("data/.job.yaml"); // not part of the dataset
    return new Sample(job, Files.move(file, hidden));
  }

  private ObjectDetails dataset() throws IOException {
    return registry.object("data", folder.resolve("data"), true);
  }

  @Test
  void workerStartedAgain_hasItsInstanceOnlyAfterACrash() throws Exception {
    Path file = folder.resolve("work-one/instance");
    String first = startedInstance("one");
    assertThat(file).hasContent(first);
    running.removeLast().stop();
    assertThat(file).as("of a worker that signed off").doesNotExist();
    String second = startedInstance("one");
    assertThat(second).isNotEqualTo(first);

    running.removeLast().stop();
    Files.writeString(file, second); // as a crash leaves it
    assertThat(startedInstance("one")).isEqualTo(second);
    assertThat(startedInstance("two")).isNotEqualTo(second);
  }

  /** Starts a worker, and returns the instance in its first request. */
  private @Nullable String startedInstance(String name) throws Exception {
    int before = registry.requests.size();
    start(name);
    StubRegistry.await("a request", () -> instances(name, before).findAny().isPresent());
    return instances(name, before).findFirst().orElseThrow();
  }

  private Stream<@Nullable String> instances(String name, int before) {
    return registry.requests.stream()
        .skip(before)
        .filter(request -> request.worker().equals(name))
        .map(LeaseRequest::instance);
  }

  @Test
  void nameInUse_isTriedAgain() throws Exception {
    registry.namesInUse.set(2);
    start("one");
    StubRegistry.await("the start", () -> log.stream().anyMatch(line -> line.contains("backends")));
    assertThat(log)
        .filteredOn(line -> line.contains("worker name in use"))
        .singleElement()
        .asString()
        .endsWith("trying again for 80 seconds");
    assertThat(registry.requests.getFirst().types()).as("takes no job").isEmpty();
  }

  private List<String> logged(String text) {
    return log.stream().filter(line -> line.contains(text)).toList();
  }

  private void awaitLogged(String text) {
    StubRegistry.await(text, () -> !logged(text).isEmpty());
  }

  @Test
  void outage_isLoggedOnceWhenItBeginsAndOnceWhenItEnds() throws Exception {
    registry.down = true;
    start("one");
    awaitLogged("lost the registry");
    registry.down = false;
    awaitLogged("the registry is back after");
    awaitLogged("backends");
    registry.down = true;
    StubRegistry.await("another", () -> logged("lost the registry").size() == 2);
    int before = registry.refused.get();
    StubRegistry.await("both slots' further tries", () -> registry.refused.get() >= before + 4);
    registry.down = false;
    StubRegistry.await("its end", () -> logged("the registry is back").size() == 2);
    assertThat(logged("lost the registry"))
        .hasSize(2)
        .allSatisfy(line -> assertThat(line).endsWith("trying again until it is back"));
    assertThat(logged("no jobs")).isEmpty();
  }

  @Test
  void stateOfTheKey_isLoggedAtTheStartAndWhenItChanges() throws Exception {
    start("one");
    awaitLogged("until an admin approves it with nola key approve sha256:");
    registry.keyState = WorkerKey.State.APPROVED;
    awaitLogged("this key is approved");
    registry.keyState = WorkerKey.State.REVOKED;
    awaitLogged("this key was revoked permanently: disk stolen; ");
    assertThat(logged("revoked").getFirst()).contains("new key, --key").doesNotContain("until");
    int before = registry.requests.size();
    StubRegistry.await("both slots to ask again", () -> registry.requests.size() >= before + 4);
    assertThat(logged("this key")).hasSize(3);
  }

  @Test
  void stoppedWorker_saysThatItHasEnded() throws Exception {
    Running one = start("one");
    StubRegistry.await("a request", () -> !registry.requests.isEmpty());
    one.stop();
    running.remove(one);
    assertThat(registry.ended)
        .containsExactly("DELETE worker=one&instance=" + registry.requests.getFirst().instance());
  }

  @ParameterizedTest
  @ValueSource(strings = {NOLA, LORA})
  void trainingByAWorker_hasTheBytesOfALocalOne(String method) throws Exception {
    Sample sample = sample(method, "steps: 40\nevaluateEvery: 20\n");
    UUID job = registry.train(sample.job(), dataset(), null);
    Worker worker = start("one").worker();
    StubRegistry.await("a result", () -> registry.results.containsKey(job));
    assertThat(registry.results.get(job)).isEqualTo(sample.trainedHere());
    assertThat(registry.failures).isEmpty();
    StubRegistry.await("its count", () -> worker.counts().equals(new JobCounts(1, 0, 0)));
    assertThat(registry.log()).contains("trained ");
    assertThat(registry.heartbeats.stream().flatMap(each -> each.metrics().stream()))
        .anySatisfy(metric -> assertThat(metric.name()).isEqualTo("validation accuracy"))
        .anySatisfy(metric -> assertThat(metric.step()).isEqualTo(40));
    StubRegistry.await("a clean folder", () -> isEmpty(folder.resolve("work-one/jobs")));
  }

  private static boolean isEmpty(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.findAny().isEmpty();
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void training_continuesFromAnotherWorkersCheckpointToTheSameBytes() throws Exception {
    Sample sample = sample("steps: 3000\ncheckpointEvery: 40\n");
    UUID job = registry.train(sample.job(), dataset(), null);
    Running first = start("first");
    StubRegistry.await("a checkpoint", () -> registry.checkpoints.containsKey(job));
    first.stop();
    running.remove(first);
    assertThat(first.worker().counts()).isEqualTo(new JobCounts(0, 0, 1));
    assertThat(registry.results).isEmpty();
    assertThat(registry.failures.get(job))
        .extracting(JobFailure::reason, JobFailure::retryable)
        .containsExactly("the worker was stopped", true);
    Thread.sleep(Duration.ofSeconds(2)); // until nothing of the first one waits for a job
    registry.again(job);
    start("second");
    StubRegistry.await("a result", () -> registry.results.containsKey(job));
    assertThat(registry.log()).contains("continues from the checkpoint of an earlier worker");
    assertThat(registry.results.get(job)).isEqualTo(sample.trainedHere());
  }

  @Test
  void cancelledTraining_stops() throws Exception {
    UUID job = registry.train(sample(ENDLESS).job(), dataset(), null);
    start("one");
    StubRegistry.await("progress", registry::hasProgress);
    long start = System.nanoTime();
    registry.cancelled.add(job);
    StubRegistry.await("its end", () -> registry.failures.containsKey(job));
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
    assertThat(registry.failures.get(job))
        .extracting(JobFailure::reason, JobFailure::retryable)
        .containsExactly("cancelled", false);
    StubRegistry.await("no process", this::hasNoProcess);
    assertThat(registry.results).isEmpty();
  }

  @Test
  void lostJob_isDroppedSilently() throws Exception {
    UUID job = registry.train(sample(ENDLESS).job(), dataset(), null);
    start("one");
    StubRegistry.await("progress", registry::hasProgress);
    registry.lost.add(job);
    StubRegistry.await("the end", () -> log.stream().anyMatch(line -> line.contains("lost: ")));
    StubRegistry.await("no process", this::hasNoProcess);
    assertThat(registry.results).isEmpty();
    assertThat(registry.failures).isEmpty();
    assertThat(registry.late).containsOnly("heartbeat");
  }

  @Test
  void training_continuesWhileTheRegistryIsUnreachable() throws Exception {
    Sample sample = sample("steps: 1500\n");
    UUID job = registry.train(sample.job(), dataset(), null);
    start("one");
    StubRegistry.await("progress", registry::hasProgress);
    registry.down = true;
    Thread.sleep(Duration.ofSeconds(8));
    assertThat(registry.results).isEmpty();
    registry.down = false;
    StubRegistry.await("a result", () -> registry.results.containsKey(job));
    assertThat(registry.results.get(job)).isEqualTo(sample.trainedHere());
    assertThat(registry.failures).isEmpty();
  }

  @Test
  void poisonedJobs_failWithTheirReasons_workerContinues() throws Exception {
    Sample good = sample("steps: 5\n");
    ObjectDetails dataset = dataset();
    Map<String, Object> more = new LinkedHashMap<>(good.job());
    more.put("stepz", 3);
    Map<String, Object> endless = with(good.job(), "run", "steps", 10_000_000);
    UUID unknown = registry.train(more, dataset, null);
    UUID outside = registry.train(with(good.job(), "data", "train", "../secret"), dataset, null);
    UUID base = registry.train(with(good.job(), "model", "base", "/etc"), dataset, null);
    UUID steep =
        registry.train(
            with(with(good.job(), "optimizer", "learningRate", 1e30), "run", "steps", 60),
            dataset,
            null);
    ObjectDetails missing =
        new ObjectDetails(
            "acme",
            "gone",
            dataset.revision(),
            "",
            List.of(
                new ObjectManifest.Entry(
                    "train-images", 3, Sha256.parse("sha256:" + "0".repeat(64)))),
            true,
            "someone",
            dataset.createdAt());
    UUID gone = registry.train(good.job(), missing, null);
    UUID slow = registry.train(endless, dataset, null, GIGABYTE, 4);
    UUID large = registry.train(endless, dataset, null, 80_000_000, 600);
    UUID fine = registry.train(good.job(), dataset, null);
    Worker worker = start("one").worker();
    StubRegistry.await("the good one's result", () -> registry.results.containsKey(fine));
    StubRegistry.await("all others' ends", () -> registry.failures.size() == 7);
    StubRegistry.await("their counts", () -> worker.counts().equals(new JobCounts(1, 7, 0)));
    assertThat(registry.results).containsOnlyKeys(fine);
    assertFinal(unknown, "unknown key stepz");
    assertFinal(outside, "invalid data.train: ../secret; must be the path of a file in acme/data");
    assertFinal(base, "model.base must not be set");
    assertFinal(steep, "is too large");
    assertFinal(gone, "404");
    assertFinal(slow, "time limit");
    assertFinal(large, "memory limit");
    assertThat(registry.failures.values())
        .extracting(JobFailure::reason)
        .noneMatch(reason -> reason.contains(folder.toString()));
  }

  @Test
  void trainingThatNeedsAGpu_isForAnotherWorker_whereThereIsNone() throws Exception {
    Map<String, Object> onGpu = with(sample("steps: 5\n").job(), "run", "device", "cuda");
    UUID job = registry.train(onGpu, dataset(), null);
    try (StandInDriver _ = StandInDriver.useNone()) {
      start("one");
      StubRegistry.await("its end", () -> registry.failures.containsKey(job));
    }
    assertThat(registry.failures.get(job).reason())
        .startsWith("run.device=cuda, but PyTorch cannot use a GPU: ");
    assertThat(registry.failures.get(job).retryable()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "cpu"})
  void trainingOnTheCpu_saysWhyInItsOwnLog_ifItsMachineHasAGpu(String device) throws Exception {
    Map<String, Object> anywhere = with(sample("steps: 5\n").job(), "run", "device", device);
    UUID job = registry.train(anywhere, dataset(), null);
    try (StandInDriver _ = StandInDriver.use()) {
      start("one");
      StubRegistry.await("a result", () -> registry.results.containsKey(job));
    }
    assertThat(registry.log().contains("device cpu: the driver sees a GPU, but this PyTorch"))
        .isEqualTo(device.equals("auto"));
  }

  private void assertFinal(UUID job, String reason) {
    assertThat(registry.failures.get(job).reason()).contains(reason);
    assertThat(registry.failures.get(job).retryable()).as(reason).isFalse();
  }

  private static Map<String, Object> with(
      Map<String, Object> job, String group, String key, Object value) {
    Map<Object, Object> inner = new LinkedHashMap<>((Map<?, ?>) job.get(group));
    inner.put(key, value);
    Map<String, Object> changed = new LinkedHashMap<>(job);
    changed.put(group, inner);
    return changed;
  }

  private static AdapterFile adapter(int layers, int rows) throws Exception {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.UNIFORM8).seed(7);
    for (int i = 0; i < layers; i++) {
      adapter.layer(
          new Layer(
              "layers." + i + ".q_proj.weight",
              List.of(rows, 8),
              null,
              rows,
              8,
              i,
              0x1p-12f,
              new LowRank(1, Codes.of(4, 1), Codes.of(4, 0, 9, 3))));
    }
    return Reconstructor.standard().seal(adapter.build());
  }

  private Reconstruction attested(UUID job, byte[] file) throws Exception {
    StubRegistry.await("an attestation", () -> registry.attested.containsKey(job));
    AttestationReport.Item item = registry.attested.get(job);
    assertThat(item.unsupported()).isNull();
    Statement statement = key.publicKey().open(item.envelope());
    statement.requireAbout(Sha256.hash(file), AdapterFile.read(file));
    return statement.reconstruction();
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "vector", "torch"})
  void everyBackendAttestsWhatItReconstructed(String backend) throws Exception {
    AdapterFile file = adapter(3, 40);
    byte[] bytes = file.toBytes();
    String nonce = StubRegistry.nonce(3);
    UUID job = registry.verify(bytes, backend, nonce);
    start("one");
    Reconstruction it = attested(job, bytes);
    Reconstructor scalar = Reconstructor.standard().withKernel(Kernels.scalar());
    Proof expected = Proof.of(file, scalar.open(file.adapter()), new Nonce(nonce));
    assertThat(it.outcome()).isEqualTo(Outcome.MATCH);
    assertThat(it.backend()).isEqualTo(backend);
    assertThat(it.root()).isEqualTo(file.reconstructionDigest());
    assertThat(it.leaves()).isEqualTo(expected.leaves());
    assertThat(it.proof()).isEqualTo(expected.proof());
    assertThat(it.difference()).isNull();
    assertThat(it.environment()).containsKeys("os", "arch", "cpu", "java", "nola", "device");
    assertThat(it.environment().containsKey("torch")).isEqualTo(backend.equals("torch"));
    assertThat(registry.requests.getFirst().key())
        .isEqualTo(key.publicKey().fingerprint().toString());
    assertThat(log).contains("verified acme/mood@1.0.0 on " + backend + ": match");
  }

  @Test
  void gpuAttestsWhatItReconstructed_andIsNamed_untilItFails() throws Exception {
    AdapterFile file = adapter(3, 40);
    byte[] bytes = file.toBytes();
    UUID job = registry.verify(bytes, "cuda", StubRegistry.nonce(3));
    try (StandInDriver _ = StandInDriver.use()) {
      start("one");
    }
    Reconstruction it = attested(job, bytes);
    assertThat(it.outcome()).isEqualTo(Outcome.MATCH);
    assertThat(it.root()).isEqualTo(file.reconstructionDigest());
    assertThat(it.environment())
        .containsEntry("device", "cuda")
        .containsEntry("gpu", "Fibers")
        .containsEntry("kernels", CudaDevice.kernelDigest().toString())
        .hasEntrySatisfying("driver", version -> assertThat(version).contains("CUDA 13.0"));
    assertThat(registry.requests.getFirst().backends()).contains("cuda");
    assertThat(registry.requests.getFirst().cuda()).as("PyTorch is for the CPU").isFalse();
    assertThat(log).anyMatch(line -> line.startsWith("device cpu: the driver sees a GPU, but"));

    StandInDriver.set("launchError", ILLEGAL_ADDRESS);
    try {
      UUID lost = registry.verify(adapter(2, 40).toBytes(), "cuda", StubRegistry.nonce(4));
      StubRegistry.await("a failure", () -> registry.failures.containsKey(lost));
      assertThat(registry.failures.get(lost).reason()).startsWith("GPU failed, and everything on");
      assertThat(registry.failures.get(lost).retryable()).isTrue();
      UUID leased = registry.verify(bytes, "cuda", StubRegistry.nonce(6));
      StubRegistry.await("a failure", () -> registry.failures.containsKey(leased));
      assertThat(registry.failures.get(leased).reason())
          .isEqualTo(
              "backend cuda not available on this worker; check the worker's log, and restart it");
      assertThat(logged("backend cuda is off after a failure of the GPU; check it")).hasSize(1);
      assertThat(registry.failures.get(leased).retryable()).isTrue();
      UUID after = registry.verify(bytes, "scalar", StubRegistry.nonce(5));
      assertThat(attested(after, bytes).outcome()).isEqualTo(Outcome.MATCH);
      assertThat(registry.requests.getLast().backends()).doesNotContain("cuda");
    } finally {
      StandInDriver.set("launchError", 0);
    }
  }

  @Test
  void largeFile_isReconstructedInItsOwnProcess() throws Exception {
    byte[] bytes = adapter(1, 6_000_000).toBytes();
    byte[] small = adapter(1, 5).toBytes();
    UUID job = registry.verify(bytes, "torch", StubRegistry.nonce(4));
    UUID after = registry.verify(small, "scalar", StubRegistry.nonce(5));
    start("one");
    assertThat(attested(job, bytes).outcome()).isEqualTo(Outcome.MATCH);
    assertThat(attested(after, small).outcome()).isEqualTo(Outcome.MATCH);
    assertThat(folder.resolve("work-one/jobs")).exists(); // where it was
  }

  @Test
  void largeFileOnTheGpu_isReconstructedByADriverThatAPropertyNames() throws Exception {
    byte[] bytes = adapter(1, 6_000_000).toBytes();
    UUID job = registry.verify(bytes, "cuda", StubRegistry.nonce(4));
    try (StandInDriver _ = StandInDriver.use()) {
      start("one");
      Reconstruction it = attested(job, bytes);
      assertThat(it.outcome()).isEqualTo(Outcome.MATCH);
      assertThat(it.environment()).containsEntry("gpu", "Fibers");
    }
    assertThat(registry.failures).isEmpty();

    try (StandInDriver _ = StandInDriver.useNone()) {
      UUID gone = registry.verify(bytes, "cuda", StubRegistry.nonce(5));
      StubRegistry.await("a failure", () -> registry.failures.containsKey(gone));
      assertThat(registry.failures.get(gone).reason()).startsWith("backend cuda not available");
      assertThat(registry.failures.get(gone).retryable()).isTrue();
    }
  }

  @Test
  void wrongBit_isAMismatchAndLocated() throws Exception {
    AdapterFile file = adapter(3, 40);
    byte[] bytes = file.toBytes();
    UUID job = registry.verify(bytes, "vector", StubRegistry.nonce(3));
    start("one", Backends.open(1, log::add).with("vector", new WrongKernel(1, Side.B, 5)), null);
    Reconstruction it = attested(job, bytes);
    assertThat(it.outcome()).isEqualTo(Outcome.MISMATCH);
    assertThat(it.root()).isNotEqualTo(file.reconstructionDigest());
    assertThat(it.difference()).isNotNull();
    assertThat(it.difference().tensor()).isEqualTo("layers.1.q_proj.weight");
    assertThat(it.difference().side()).isEqualTo("B");
    assertThat(it.difference().index()).isEqualTo(5);
    int expected = Integer.parseUnsignedInt(it.difference().expected(), 16);
    assertThat(Integer.parseUnsignedInt(it.difference().actual(), 16)).isEqualTo(expected ^ 1);
    assertThat(log)
        .anyMatch(line -> line.contains("MISMATCH"))
        .contains("verified acme/mood@1.0.0 on vector: mismatch");
  }

  @ParameterizedTest
  @ValueSource(strings = {"generator-6", "major-2", "feature"})
  void newerFile_isUnsupported_damagedFile_fails(String name) throws Exception {
    byte[] newer = Files.readAllBytes(VECTORS.resolve("invalid/" + name + ".nola"));
    byte[] damaged = Files.readAllBytes(VECTORS.resolve("invalid/flipped-bit.nola"));
    UUID unsupported = registry.verify(newer, "scalar", StubRegistry.nonce(1));
    UUID corrupt = registry.verify(damaged, "scalar", StubRegistry.nonce(1));
    start("one");
    StubRegistry.await("a report", () -> registry.attested.containsKey(unsupported));
    assertThat(registry.attested.get(unsupported).envelope()).isNull();
    assertThat(registry.attested.get(unsupported).unsupported()).isNotBlank();
    assertThat(log).contains("verified acme/mood@1.0.0 on scalar: unsupported");
    StubRegistry.await("a failure", () -> registry.failures.containsKey(corrupt));
    assertThat(registry.failures.get(corrupt).retryable()).isFalse();
  }

  @Test
  void fileInLease_isDownloadedOnlyIfItsDigestDiffers() throws Exception {
    byte[] along = adapter(1, 11).toBytes();
    byte[] other = adapter(1, 12).toBytes();
    UUID without = registry.verify(along, "scalar", StubRegistry.nonce(1), along, false);
    UUID wrong = registry.verify(other, "scalar", StubRegistry.nonce(2), along, true);
    start("one");
    assertThat(attested(without, along).outcome()).isEqualTo(Outcome.MATCH);
    assertThat(attested(wrong, other).outcome()).isEqualTo(Outcome.MATCH);
    assertThat(registry.failures).isEmpty();
  }

  @Test
  void manyVerificationsAreReportedTogether() throws Exception {
    List<UUID> jobs = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      byte[] file = adapter(1, 1 + i % 50).toBytes();
      jobs.add(registry.verify(file, i % 2 == 0 ? "scalar" : "vector", StubRegistry.nonce(i)));
    }
    start("one");
    StubRegistry.await("all", () -> registry.attested.keySet().containsAll(jobs));
    List<String> reports = log.stream().filter(line -> line.contains("verified ")).toList();
    assertThat(reports)
        .hasSizeLessThan(100) // one line per report, not per file
        .allMatch(
            line ->
                line.matches("verified acme/mood@1.0.0 on (scalar|vector|scalar, vector): match"));
    assertThat(registry.failures).isEmpty();
  }

  @Test
  void exportIsAnArchiveThatPeftLoads() throws Exception {
    byte[] file = adapter(2, 16).toBytes();
    UUID job = registry.export(file, "f32");
    UUID again = registry.export(file, "f32");
    UUID wrong = registry.export(file, "f64");
    start("one");
    StubRegistry.await("archives", () -> registry.results.size() == 2);
    List<String> names = new ArrayList<>();
    try (ZipInputStream zip =
        new ZipInputStream(new ByteArrayInputStream(registry.results.get(job)))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        names.add(entry.getName());
      }
    }
    assertThat(names).contains("adapter_config.json", "adapter_model.safetensors");
    assertThat(registry.results.get(again)).isEqualTo(registry.results.get(job));
    StubRegistry.await("a refusal", () -> registry.failures.containsKey(wrong));
    assertFinal(wrong, "invalid type: f64; must be f16, bf16 or f32");
  }

  @Test
  void modelsOfThisMachineAreFoundByTheirRevision() throws Exception {
    Path model = Files.createDirectories(folder.resolve("models/acme/llama"));
    Files.writeString(model.resolve("config.json"), "{}");
    Files.writeString(model.resolve("tokenizer.json"), "{}");
    ObjectDetails registered = registry.object("llama", model, false);
    start("one", Backends.open(1, log::add), folder.resolve("models"));
    StubRegistry.await("a question", () -> !registry.requests.isEmpty());
    assertThat(registry.requests.getFirst().models())
        .containsExactly(registered.revision().toString());

    Sample sample = sample("steps: 5\n");
    UUID job = registry.train(sample.job(), dataset(), registered);
    StubRegistry.await("its end", () -> registry.failures.containsKey(job));
    // The model was found, and contradicts model.mlp.
    assertFinal(job, "only one of model.base, model.mlp and model.network");

    Files.writeString(model.resolve("config.json"), "{ }"); // another model
    UUID changed = registry.train(sample.job(), dataset(), registered);
    StubRegistry.await("its end", () -> registry.failures.containsKey(changed));
    assertThat(registry.failures.get(changed).retryable()).isTrue();
    assertThat(registry.failures.get(changed).reason()).contains("not found on this worker");
  }

  @Test
  void keyIsCreatedOnceAndKeptSecret() throws Exception {
    Path file = folder.resolve("config/key.pem");
    SigningKey made = KeyFile.readOrMake(file);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(KeyFile.readOrMake(file).publicKey().fingerprint())
        .isEqualTo(made.publicKey().fingerprint());
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    assertThatThrownBy(() -> KeyFile.readOrMake(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("other users");
  }

  /** A worker's token does not come from nola login. */
  @ParameterizedTest
  @ValueSource(ints = {401, 403})
  void refusedToken_isExplained(int status) throws Exception {
    registry.refusal = status;
    start("one");
    StubRegistry.await("the end", () -> log.stream().anyMatch(line -> line.contains("ended: ")));
    assertThat(log)
        .anyMatch(line -> line.contains("--token-file"))
        .noneMatch(line -> line.contains("nola login"));
  }

  @Test
  void workerCountsItsSlotsInWords() throws Exception {
    start("one");
    StubRegistry.await("a start", () -> log.stream().anyMatch(line -> line.contains("2 slots, ")));
    assertThat(JobReporter.quantity(1, "slot")).isEqualTo("1 slot");
  }

  @Test
  void secondWorkerInAFolder_isRefused() throws Exception {
    start("one");
    assertThatThrownBy(() -> start("one"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("in use by another worker");
  }
}

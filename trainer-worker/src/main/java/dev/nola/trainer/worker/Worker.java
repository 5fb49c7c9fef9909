package dev.nola.trainer.worker;

import dev.nola.api.attestation.SigningKey;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.job.JobFailure;
import dev.nola.api.job.JobType;
import dev.nola.api.job.Lease;
import dev.nola.api.job.LeaseRequest;
import dev.nola.client.jobs.WorkerClient;
import dev.nola.files.FileTree;
import dev.nola.reconstruct.Budget;
import dev.nola.threads.Uninterruptibles;
import dev.nola.trainer.model.Tensors;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes jobs from a registry and does them, until it is interrupted. Whatever goes wrong with a job
 * ends that job, not the worker.
 */
public final class Worker implements AutoCloseable {
  /** How long a slot waits for a job before it asks again. */
  private static final int WAIT_SECONDS = 20;

  private static final Duration PATIENCE = Duration.ofHours(1);
  private static final Duration LAST_WORDS = Duration.ofSeconds(5);
  private static final Duration PAUSE = Duration.ofSeconds(2);

  /** What is reconstructed in this process: some seconds of work, and megabytes of memory. */
  private static final Budget SMALL = new Budget(1 << 22, 1L << 31);

  private final Settings settings;
  private final SigningKey key;
  private final Consumer<String> log;
  private final Registry registry;
  private final Backends backends;
  private final Verification verification;
  private final AdapterFiles adapters;
  private final FileChannel lockFile;
  private final ObjectStore objects;
  private final ModelFolders models;
  private final JobTally tally = new JobTally();
  private volatile boolean stopped;

  /**
   * What a worker may use.
   *
   * @param name unique among an account's workers
   * @param slots jobs at a time
   * @param memoryBytes that one job may use
   * @param diskBytes that one job may write, and that fetched files may take together
   * @param work folder of its own
   * @param models folder with models, or null
   */
  public record Settings(
      String name, int slots, long memoryBytes, long diskBytes, Path work, @Nullable Path models) {

    /**
     * @throws IllegalArgumentException if a number is not positive
     */
    public Settings {
      if (slots < 1 || memoryBytes < 1 || diskBytes < 1) {
        throw new IllegalArgumentException(
            "slots=%d memory=%d disk=%d, must be at least 1"
                .formatted(slots, memoryBytes, diskBytes));
      }
      work = work.toAbsolutePath().normalize();
    }
  }

  /**
   * A worker that is ready to run.
   *
   * @param log is told what happens, a line each
   * @throws IOException if its folder cannot be used, or another worker uses it
   */
  public Worker(URI registry, String token, Settings settings, SigningKey key, Consumer<String> log)
      throws IOException {
    this(registry, token, settings, key, log, backends(settings.slots()));
  }

  Worker(
      URI registry,
      String token,
      Settings settings,
      SigningKey key,
      Consumer<String> log,
      Backends backends)
      throws IOException {
    this.settings = settings;
    this.key = key;
    this.log = log;
    this.backends = backends;
    this.verification = new Verification(backends, Machine.here(settings.name()), SMALL);
    Files.createDirectories(settings.work());
    this.lockFile = lock(settings.work().resolve(".lock"));
    FileTree.delete(settings.work().resolve("jobs")); // of a worker that was killed
    this.registry = Registry.of(registry, token, settings.work().resolve("cache"));
    this.adapters = new AdapterFiles(this.registry.files());
    this.objects =
        new ObjectStore(
            settings.work().resolve("objects"), settings.diskBytes(), this.registry.files());
    this.models = new ModelFolders(settings.models(), settings.work().resolve("digests.json"));
  }

  private static Backends backends(int slots) {
    return Backends.here(Math.max(1, Runtime.getRuntime().availableProcessors() / slots));
  }

  /** The machine's name in its network. */
  public static String machineName() throws IOException {
    return Machine.hostName();
  }

  /** Bytes of memory that the machine has. */
  public static long machineMemory() {
    return Machine.memory();
  }

  private static FileChannel lock(Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
    try {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return channel;
      }
    } catch (OverlappingFileLockException _) {
      // A worker in this process.
    }
    channel.close();
    throw new IOException(file.getParent() + " is another worker's folder; give this one its own");
  }

  /**
   * Registers the key, and works until this thread is interrupted; then ends what it is doing, and
   * gives the jobs back.
   *
   * @throws IOException if the registry does not take this worker
   */
  public void run() throws IOException, InterruptedException {
    WorkerKey registered =
        Registry.persist(
            PATIENCE,
            () ->
                registry.words().register(key.publicKey().toBase64(), "worker " + settings.name()));
    log.accept("key " + registered.fingerprint());
    if (registered.state() != WorkerKey.State.APPROVED) {
      log.accept(
          "this key is %s: until an admin approves it, this worker is given no verifications"
              .formatted(registered.state().name().toLowerCase(Locale.ROOT)));
    }
    log.accept(
        "%s, %,d MB of memory a job, backends %s, device %s, %s"
            .formatted(
                count(settings.slots(), "slot"),
                settings.memoryBytes() / 1_000_000,
                String.join(" ", backends.names()),
                Tensors.deviceName(),
                count(models.revisions().size(), "model")));
    List<Thread> slots = new ArrayList<>();
    for (int i = 1; i <= settings.slots(); i++) {
      slots.add(Thread.ofPlatform().name("slot " + i).start(this::slot));
    }
    try {
      for (Thread slot : slots) {
        slot.join();
      }
    } finally {
      stopped = true;
      slots.forEach(Thread::interrupt);
      for (Thread slot : slots) {
        Uninterruptibles.await(slot::join);
      }
    }
  }

  /** One slot: asks for a job, does it, and asks again. */
  private void slot() {
    BatchSize batchSize = new BatchSize();
    String trouble = "";
    while (!stopped) {
      try {
        List<Lease> leases = lease(List.of(JobType.values()), 1, WAIT_SECONDS);
        trouble = "";
        if (!leases.isEmpty()) {
          work(leases.getFirst(), batchSize);
        }
      } catch (InterruptedException _) {
        // It is stopped.
      } catch (IOException e) {
        if (!trouble.equals(e.getMessage())) {
          log.accept("no jobs: " + e.getMessage());
        }
        trouble = String.valueOf(e.getMessage());
        pause();
      } catch (Throwable e) { // not even an error of the JVM ends the others
        report("slot", e);
        pause();
      }
    }
  }

  private void work(Lease first, BatchSize batchSize) throws IOException, InterruptedException {
    if (first.job().type() != JobType.VERIFY) {
      try (HeldLease held = hold(first)) {
        Path folder = newFolder(held);
        log(held, "takes " + first.job().type().name().toLowerCase(Locale.ROOT));
        try {
          new FileJob(this, held, folder).run();
        } finally {
          remove(folder);
        }
      } finally {
        Thread.interrupted(); // meant for the job; that the worker is stopped is known otherwise
      }
      return;
    }
    long started = System.nanoTime();
    List<HeldLease> all = new ArrayList<>();
    all.add(hold(first));
    try {
      lease(List.of(JobType.VERIFY), batchSize.get(), 0).forEach(lease -> all.add(hold(lease)));
    } catch (IOException e) {
      log.accept("no more jobs: " + e.getMessage());
    } finally {
      try {
        new VerificationBatch(this, all).run();
      } finally {
        all.forEach(HeldLease::close);
      }
    }
    batchSize.took(all.size(), System.nanoTime() - started);
  }

  private HeldLease hold(Lease lease) {
    return new HeldLease(registry.words(), lease, PATIENCE);
  }

  private List<Lease> lease(List<JobType> types, int max, int waitSeconds)
      throws IOException, InterruptedException {
    return registry
        .words()
        .lease(
            new LeaseRequest(
                settings.name(),
                key.publicKey().fingerprint().toString(),
                types,
                backends.names(),
                Tensors.deviceName().equals("gpu"),
                settings.memoryBytes(),
                models.revisions(),
                max,
                waitSeconds))
        .leases();
  }

  private void pause() {
    try {
      Thread.sleep(PAUSE.plusMillis(ThreadLocalRandom.current().nextLong(PAUSE.toMillis())));
    } catch (InterruptedException _) {
      // It is stopped.
    }
  }

  /** Reports that a job was not done, unless it is somebody else's by now. */
  void fail(HeldLease held, JobFailure failure) {
    boolean interrupted = Thread.interrupted(); // else nothing could be sent
    tally.addFailure(stopped && failure.retryable());
    log(held, failure.reason());
    try {
      Registry.persist(LAST_WORDS, () -> registry.words().fail(held.job(), failure));
    } catch (IOException e) {
      if (!WorkerClient.isLeaseLost(e)) {
        log(held, "its end could not be reported: " + e.getMessage());
      }
    } catch (InterruptedException _) {
      interrupted = true;
    } finally {
      held.close();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Returns what came of the jobs so far.
   *
   * @return counts that are final once {@link #run} has ended
   */
  public JobCounts counts() {
    return tally.counts();
  }

  JobTally tally() {
    return tally;
  }

  Settings settings() {
    return settings;
  }

  SigningKey key() {
    return key;
  }

  Registry registry() {
    return registry;
  }

  Verification verification() {
    return verification;
  }

  AdapterFiles adapters() {
    return adapters;
  }

  ObjectStore objects() {
    return objects;
  }

  ModelFolders models() {
    return models;
  }

  Duration patience() {
    return PATIENCE;
  }

  /** Counts things in words, such as {@code 1 slot} or {@code 2 slots}. */
  static String count(int number, String thing) {
    return number + " " + thing + (number == 1 ? "" : "s");
  }

  void log(String line) {
    log.accept(line);
  }

  void log(HeldLease held, String line) {
    log.accept("job %s: %s".formatted(held.job(), line));
  }

  /** Tells of a defect of nola, or of a machine that has no memory left. */
  void report(String where, Throwable failure) {
    StackTraceElement[] trace = failure.getStackTrace();
    log.accept("%s: %s%s".formatted(where, failure, trace.length == 0 ? "" : " at " + trace[0]));
  }

  Path newFolder(HeldLease held) {
    return settings.work().resolve("jobs").resolve(held.job() + "-" + held.fence());
  }

  /** Deletes a job's folder; what cannot be deleted now is deleted at the worker's next start. */
  void remove(Path folder) {
    try {
      FileTree.delete(folder);
    } catch (IOException e) {
      log.accept(folder + " cannot be deleted: " + e.getMessage());
    }
  }

  /** Ends its connections. */
  @Override
  public void close() throws IOException {
    registry.close();
    lockFile.close();
  }
}

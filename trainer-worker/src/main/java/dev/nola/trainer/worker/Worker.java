package dev.nola.trainer.worker;

import dev.nola.api.attestation.SigningKey;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.job.JobType;
import dev.nola.api.job.Lease;
import dev.nola.api.job.LeaseRequest;
import dev.nola.api.job.Leases;
import dev.nola.client.jobs.WorkerClient;
import dev.nola.digest.Sha256;
import dev.nola.reconstruct.Budget;
import dev.nola.text.Label;
import dev.nola.threads.Uninterruptibles;
import dev.nola.trainer.model.Tensors;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;

/**
 * Takes jobs from a registry and does them, until it is interrupted. Whatever goes wrong with a job
 * ends that job, not the worker.
 */
public final class Worker implements AutoCloseable {
  /** Time that a slot waits for a job before it asks again. */
  private static final int WAIT_SECONDS = 20;

  /** Attempts with a name in use: more than until the registry forgets a worker that has ended. */
  private static final int NAME_ATTEMPTS = 41;

  private static final Duration NAME_PAUSE = Duration.ofSeconds(2);

  private static final Duration RETRY_PAUSE = Duration.ofSeconds(2);

  /** Limit of what is reconstructed in this process: seconds of work, and megabytes of memory. */
  private static final Budget SMALL = new Budget(1 << 24, 1L << 31);

  private final WorkerSettings settings;
  private final SigningKey key;
  private final WorkFolder folder;
  private final Registry registry;
  private final Backends backends;
  private final Verifier verifier;
  private final AdapterFiles adapters;
  private final ModelFolders models;
  private final JobInputs inputs;
  private final JobReporter reporter;
  private final Outage outage;
  private final KeyNotices keyNotices;
  private final TaskLauncher tasks;
  private volatile boolean stopped;

  /**
   * Creates a worker that is ready to run.
   *
   * @param access how to reach the registry
   * @param settings what the worker may use
   * @param key key to sign attestations with
   * @param log receives what happens, a line each
   * @throws IOException if its folder cannot be used, or another worker uses it
   */
  public Worker(
      RegistryAccess access, WorkerSettings settings, SigningKey key, Consumer<String> log)
      throws IOException {
    this(access, settings, key, log, backends(settings, log));
  }

  /** Creates a worker with other backends than this machine's, for tests. */
  Worker(
      RegistryAccess access,
      WorkerSettings settings,
      SigningKey key,
      Consumer<String> log,
      Backends backends)
      throws IOException {
    this.folder = new WorkFolder(settings.work());
    this.settings = settings;
    this.key = key;
    this.registry = new Registry(access, settings.work().resolve("cache"));
    this.backends = backends;
    this.reporter = new JobReporter(registry.requests(), log, () -> stopped);
    this.outage = new Outage(log);
    this.keyNotices = new KeyNotices(log);
    this.tasks = new TaskLauncher(settings, reporter);
    tasks.clean();
    this.verifier = new Verifier(backends, MachineDescription.here(settings.name()), SMALL);
    this.adapters = new AdapterFiles(registry.transfers());
    this.models = new ModelFolders(settings.models(), settings.work().resolve("digests.json"));
    ObjectStore objects =
        new ObjectStore(
            settings.work().resolve("objects"), settings.diskBytes(), registry.transfers());
    this.inputs = new JobInputs(registry.transfers(), objects, models, settings.diskBytes());
  }

  private static Backends backends(WorkerSettings settings, Consumer<String> log) {
    return Backends.open(
        Math.max(1, Runtime.getRuntime().availableProcessors() / settings.slots()), log);
  }

  /**
   * Returns the name of this machine in its network.
   *
   * @return the host name
   * @throws IOException if the machine does not know it
   */
  public static String machineName() throws IOException {
    return MachineDescription.hostName();
  }

  /**
   * Returns the memory of this machine.
   *
   * @return all of it, in bytes
   */
  public static long machineMemory() {
    return MachineDescription.memory();
  }

  /**
   * Registers the key, and works until this thread is interrupted; then ends what it is doing,
   * hands the jobs back, and signs off.
   *
   * @throws IOException if the registry does not accept this worker
   * @throws InterruptedException when the thread was interrupted
   */
  public void run() throws IOException, InterruptedException {
    start(Registry.MAX_OUTAGE, settings.slots(), this::runSlot);
  }

  /**
   * Registers the key, waits for one job, does it, and signs off. {@link #counts} then says how the
   * job ended.
   *
   * @param wait how long to wait for the registry and for the job
   * @return whether a job came
   * @throws IOException if the registry does not accept this worker, or is unreachable
   * @throws InterruptedException when the thread was interrupted; the job is handed back
   */
  public boolean runOnce(Duration wait) throws IOException, InterruptedException {
    FutureTask<Boolean> job = new FutureTask<>(() -> takeOne(wait));
    start(wait, 1, job);
    try {
      return job.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException failure -> throw failure;
        case InterruptedException interrupted -> throw interrupted;
        default -> throw new IllegalStateException(e.getCause());
      }
    }
  }

  private void start(Duration maxOutage, int count, Runnable slot)
      throws IOException, InterruptedException {
    keyNotices.log(Registry.retry(maxOutage, this::register));
    try {
      claimName(maxOutage);
      runSlots(count, slot);
    } finally {
      signOff();
    }
  }

  private void runSlots(int count, Runnable slot) throws InterruptedException {
    reporter.log(
        String.format(
            Locale.ROOT,
            "%s, %,d MB of memory a job, backends %s, device %s, %s",
            JobReporter.quantity(count, "slot"),
            settings.memoryBytes() / 1_000_000,
            String.join(" ", backends.names()),
            Tensors.deviceName(),
            JobReporter.quantity(models.revisions().size(), "model")));
    List<Thread> slots = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      slots.add(Thread.ofPlatform().name("slot " + i).start(slot));
    }
    try {
      for (Thread each : slots) {
        each.join();
      }
    } finally {
      stopped = true;
      slots.forEach(Thread::interrupt);
      for (Thread each : slots) {
        Uninterruptibles.await(each::join);
      }
    }
  }

  /** Says that this worker has ended; if that fails, the registry finds out after a minute. */
  private void signOff() {
    boolean interrupted = Thread.interrupted(); // else nothing could be sent
    try {
      registry.requests().end(settings.name(), folder.instance());
      folder.forgetInstance();
    } catch (IOException e) {
      reporter.log("end not reported: " + e.getMessage());
    } catch (InterruptedException _) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private WorkerKey register() throws IOException, InterruptedException {
    return outage.watch(
        () ->
            registry.requests().register(key.publicKey().toBase64(), "worker " + settings.name()));
  }

  /**
   * Makes sure that no other worker has this name, by a request that gets no job. A worker that has
   * ended keeps its name for a minute, unless this one has its working folder.
   */
  private void claimName(Duration maxOutage) throws IOException, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      try {
        Registry.retry(maxOutage, () -> lease(List.of(), 1, 0));
        return;
      } catch (IOException e) {
        if (!WorkerClient.isNameInUse(e) || attempt == NAME_ATTEMPTS) {
          throw e;
        }
        if (attempt == 1) {
          reporter.log(
              "%s; trying again for %d seconds"
                  .formatted(e.getMessage(), NAME_PAUSE.toSeconds() * (NAME_ATTEMPTS - 1)));
        }
        Thread.sleep(NAME_PAUSE);
      }
    }
  }

  /** Asks for a job, does it, and asks again. */
  private void runSlot() {
    VerificationRunSize size = new VerificationRunSize();
    String reported = "";
    while (!stopped) {
      try {
        List<Lease> leases = lease(List.of(JobType.values()), 1, WAIT_SECONDS);
        reported = "";
        if (!leases.isEmpty()) {
          work(leases.getFirst(), size);
        }
      } catch (InterruptedException _) {
        // It is stopped.
      } catch (IOException e) {
        if (!Registry.isUnreachable(e) && !reported.equals(e.getMessage())) {
          reporter.log("no jobs: " + e.getMessage());
        }
        reported = String.valueOf(e.getMessage());
        pause();
      } catch (Throwable e) { // not even an error of the JVM ends the others
        reporter.logDefect("slot", e);
        pause();
      }
    }
  }

  /** Waits for a job, and does it; returns false if none came in time. */
  private boolean takeOne(Duration wait) throws IOException, InterruptedException {
    long end = System.nanoTime() + wait.toNanos();
    while (true) {
      Duration left = Duration.ofNanos(Math.max(0, end - System.nanoTime()));
      int seconds = (int) Math.min(WAIT_SECONDS, left.plusMillis(999).toSeconds());
      List<Lease> leases = Registry.retry(left, () -> lease(List.of(JobType.values()), 1, seconds));
      if (!leases.isEmpty()) {
        Lease lease = leases.getFirst();
        if (lease.job().type() == JobType.VERIFY) {
          verify(List.of(hold(lease)));
        } else {
          runFileJob(lease);
        }
        return true;
      }
      if (System.nanoTime() >= end) {
        return false;
      }
    }
  }

  private void work(Lease first, VerificationRunSize size)
      throws IOException, InterruptedException {
    if (first.job().type() == JobType.VERIFY) {
      verify(first, size);
    } else {
      runFileJob(first);
    }
  }

  private void runFileJob(Lease first) throws IOException, InterruptedException {
    try (HeldLease held = hold(first)) {
      reporter.log(held, Label.of(first.job().type()) + " started");
      new FileJob(held, inputs, tasks, reporter, registry.transfers()).run();
    } finally {
      Thread.interrupted(); // meant for the job; that the worker is stopped is known otherwise
    }
  }

  private void verify(Lease first, VerificationRunSize size)
      throws IOException, InterruptedException {
    long started = System.nanoTime();
    List<HeldLease> leases = new ArrayList<>();
    leases.add(hold(first));
    try {
      lease(List.of(JobType.VERIFY), size.get(), 0).forEach(lease -> leases.add(hold(lease)));
    } catch (IOException e) {
      reporter.log("no more jobs: " + e.getMessage());
    } finally {
      verify(leases);
    }
    size.learn(leases.size(), System.nanoTime() - started);
  }

  private void verify(List<HeldLease> leases) {
    try {
      AttestationOutbox outbox = new AttestationOutbox(registry.requests(), reporter);
      new VerificationRun(adapters, verifier, key, tasks, reporter, outbox).run(leases);
    } finally {
      leases.forEach(HeldLease::close);
    }
  }

  private HeldLease hold(Lease lease) {
    return new HeldLease(registry.requests(), outage, lease);
  }

  private List<Lease> lease(List<JobType> types, int max, int waitSeconds)
      throws IOException, InterruptedException {
    LeaseRequest request =
        new LeaseRequest(
            settings.name(),
            folder.instance(),
            key.publicKey().fingerprint().toString(),
            types,
            backends.names(),
            Tensors.isOnGpu(),
            settings.memoryBytes(),
            models.revisions().stream().map(Sha256::toString).toList(),
            max,
            waitSeconds);
    Leases answer = outage.watch(() -> registry.requests().lease(request));
    if (keyNotices.isNew(answer.keyState())) {
      logKey();
    }
    return answer.leases();
  }

  /** Logs the state of the key, with the reason if it was revoked. */
  private void logKey() throws InterruptedException {
    try {
      keyNotices.log(register());
    } catch (IOException _) {
      // The next answer says again that there is news.
    }
  }

  private void pause() {
    try {
      long random = ThreadLocalRandom.current().nextLong(RETRY_PAUSE.toMillis());
      Thread.sleep(RETRY_PAUSE.plusMillis(random));
    } catch (InterruptedException _) {
      // It is stopped.
    }
  }

  /**
   * Returns the number of jobs so far.
   *
   * @return counts that are final once {@link #run} has ended
   */
  public JobCounts counts() {
    return reporter.counts();
  }

  /** Closes the connections, and frees the folder for another worker. */
  @Override
  public void close() throws IOException {
    registry.close();
    backends.close();
    folder.close();
  }
}

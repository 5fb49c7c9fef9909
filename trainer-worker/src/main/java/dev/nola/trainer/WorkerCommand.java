package dev.nola.trainer;

import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.RegistryOption;
import dev.nola.files.UserDirectories;
import dev.nola.trainer.worker.JobCounts;
import dev.nola.trainer.worker.KeyFile;
import dev.nola.trainer.worker.RegistryAccess;
import dev.nola.trainer.worker.Worker;
import dev.nola.trainer.worker.WorkerSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs a registry's jobs. */
@Command(
    name = "worker",
    description = {
      "Take jobs from a registry and run them: train, verify, export.",
      "It runs until Ctrl-C or SIGTERM, and then returns its jobs. Any number of workers may run,"
          + " anywhere. It prints a line for each event; with --json, lines go to stderr, and a"
          + " document with the jobs' counts is printed at the end.",
      "With --once it takes one job and ends: with 0 if the job succeeded, 1 if it failed, 5 if none"
          + " came within --wait.",
      "nola worker list and nola worker show list the workers that a registry knows."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola worker --registry https://nola.example --token-file worker.token",
      "  nola worker --registry https://nola.example --token-file worker.token --models /srv/models",
      "  nola worker --registry https://nola.example --token-file worker.token --once --wait 300"
    })
final class WorkerCommand implements Callable<Integer> {
  private static final long MEGABYTE = 1_000_000;
  private static final int SHARE_PERCENT = 80;
  private static final Duration STANDARD_WAIT = Duration.ofSeconds(60);

  @Option(
      names = "--token-file",
      required = true,
      paramLabel = "FILE",
      description = "File with a token of scope worker.")
  private Path tokenFile = Path.of("");

  @Option(
      names = "--models",
      paramLabel = "DIR",
      description = "Folder of models that jobs may use, each a folder with a config.json.")
  private @Nullable Path models;

  @Option(
      names = "--slots",
      paramLabel = "N",
      description = "Jobs at a time. Default: ${DEFAULT-VALUE}.")
  private int slots = 1;

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description =
          "Key to sign attestations with; created if it does not exist. Default: worker-key.pem in"
              + " $NOLA_CONFIG, or ~/.config/nola.")
  private @Nullable Path key;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description =
          "Name of this worker; must be unique among the account's running workers. Default: the"
              + " host name.")
  private @Nullable String name;

  @Option(
      names = "--work",
      paramLabel = "DIR",
      description =
          "Working folder; each worker needs its own. Default: worker in $NOLA_CACHE, or"
              + " ~/.cache/nola.")
  private @Nullable Path work;

  @Option(
      names = "--memory",
      paramLabel = "MB",
      description =
          "Memory that a job may use. Default: 80 %% of the machine's, divided by the slots.")
  private @Nullable Long memory;

  @Option(
      names = "--disk",
      paramLabel = "MB",
      description =
          "Disk that a job may use, and that fetched files may occupy. Default: ${DEFAULT-VALUE}.")
  private long disk = 20_000;

  @Option(names = "--once", description = "Take one job, do it, and end.")
  private boolean once;

  @Option(
      names = "--wait",
      paramLabel = "SECONDS",
      description = "Time that --once waits for a job. Default: 60.")
  private @Nullable Integer wait;

  @Option(
      names = "--allow-plain-http",
      description =
          "Send the token and private files to another machine even over http. Only for networks"
              + " that encrypt by themselves, such as a service mesh.")
  private boolean allowPlainHttp;

  @Mixin private RegistryOption registry = new RegistryOption();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    Duration waitForJob = waitForJob();
    String token = Files.readString(tokenFile).strip();
    WorkerSettings settings =
        new WorkerSettings(
            name == null ? Worker.machineName() : name,
            slots,
            memory == null
                ? Worker.machineMemory() / 100 * SHARE_PERCENT / Math.max(1, slots)
                : memory * MEGABYTE,
            disk * MEGABYTE,
            work == null
                ? UserDirectories.cache(output.console().environment()).resolve("worker")
                : work,
            models);
    Path keyFile = key == null ? KeyFile.standard(output.console().environment()) : key;
    try (Worker worker =
        new Worker(
            new RegistryAccess(registry.url(output), token, allowPlainHttp),
            settings,
            KeyFile.readOrMake(keyFile),
            line -> output.log(Instant.now().truncatedTo(ChronoUnit.SECONDS) + " " + line))) {
      return run(worker, waitForJob);
    }
  }

  private Duration waitForJob() {
    if (!once && wait != null) {
      throw new IllegalArgumentException("--wait applies only with --once");
    }
    if (once && slots != 1) {
      throw new IllegalArgumentException("invalid --slots: " + slots + "; must be 1 with --once");
    }
    if (wait != null && wait < 0) {
      throw new IllegalArgumentException("invalid --wait: " + wait + "; must not be negative");
    }
    return wait == null ? STANDARD_WAIT : Duration.ofSeconds(wait);
  }

  private int run(Worker worker, Duration waitForJob) throws IOException, InterruptedException {
    try {
      if (once) {
        return runOnce(worker, waitForJob);
      }
      worker.run();
      return ExitCode.OK;
    } catch (InterruptedException e) {
      if (!output.isJson()) {
        throw e;
      }
      output.log(output.command().qualifiedName() + ": interrupted");
      output.print(new Failed(false, "interrupted", "interrupted", worker.counts()), _ -> {});
      return ExitCode.INTERRUPTED;
    }
  }

  private int runOnce(Worker worker, Duration waitForJob) throws IOException, InterruptedException {
    if (!worker.runOnce(waitForJob)) {
      return fail(
          ExitCode.NO_JOB, "no-job", "no job within " + waitForJob.toSeconds() + " s", worker);
    }
    JobCounts jobs = worker.counts();
    if (jobs.done() == 0) {
      return fail(
          ExitCode.REFUSED, "job-failed", "the job failed; the lines above say why", worker);
    }
    output.print(new Succeeded(true, jobs), _ -> {});
    return ExitCode.OK;
  }

  private int fail(int exitCode, String kind, String error, Worker worker) {
    output.log(output.command().qualifiedName() + ": " + error);
    output.print(new Failed(false, kind, error, worker.counts()), _ -> {});
    return exitCode;
  }

  /**
   * What {@code --json} prints when the worker is stopped, or its one job failed or did not come:
   * the document of every command that fails, with the jobs in addition.
   */
  private record Failed(boolean ok, String kind, String error, JobCounts jobs) {}

  /** What {@code --json} prints when the one job succeeded. */
  private record Succeeded(boolean ok, JobCounts jobs) {}
}

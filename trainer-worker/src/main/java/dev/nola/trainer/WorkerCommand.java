package dev.nola.trainer;

import dev.nola.files.UserDirectories;
import dev.nola.trainer.worker.KeyFile;
import dev.nola.trainer.worker.Worker;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Does a registry's jobs. */
@Command(
    name = "worker",
    description = {
      "Take jobs from a registry and do them: train, verify, export.",
      "It runs until Ctrl-C or SIGTERM, and then gives its jobs back. Any number of workers may run,"
          + " anywhere."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola worker --registry https://nola.example --token-file worker.token",
      "  nola worker --registry https://nola.example --token-file worker.token --models /srv/models"
    })
final class WorkerCommand implements Callable<Integer> {
  private static final String DEFAULT_REGISTRY = "http://127.0.0.1:8080";
  private static final long MEGABYTE = 1_000_000;
  private static final int SHARE_PERCENT = 80;

  @Option(
      names = "--registry",
      paramLabel = "URL",
      description = "The registry; $NOLA_REGISTRY when not given, else " + DEFAULT_REGISTRY + ".")
  private @Nullable URI registry;

  @Option(
      names = "--token-file",
      required = true,
      paramLabel = "FILE",
      description = "Holds a token of scope worker.")
  private Path tokenFile = Path.of("");

  @Option(
      names = "--models",
      paramLabel = "DIR",
      description = "Folder with models that jobs may use, each a folder with a config.json.")
  private @Nullable Path models;

  @Option(
      names = "--slots",
      paramLabel = "N",
      description = "Jobs at a time; ${DEFAULT-VALUE} when not given.")
  private int slots = 1;

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description =
          "Key to sign attestations with, made if it is not there; worker-key.pem in the user's"
              + " folder of settings when not given.")
  private @Nullable Path key;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "Unique among the account's workers; the machine's name when not given.")
  private @Nullable String name;

  @Option(
      names = "--work",
      paramLabel = "DIR",
      description = "Its own folder; worker in the user's cache when not given.")
  private @Nullable Path work;

  @Option(
      names = "--memory",
      paramLabel = "MB",
      description =
          "Memory that a job may use; when not given, 80 %% of the machine's, divided by the slots.")
  private @Nullable Long memory;

  @Option(
      names = "--disk",
      paramLabel = "MB",
      description =
          "Disk that a job may use, and that fetched files may take; ${DEFAULT-VALUE} when not"
              + " given.")
  private long disk = 20_000;

  @Spec private CommandSpec spec = CommandSpec.create();

  private URI registry() {
    return registry != null
        ? registry
        : URI.create(System.getenv().getOrDefault("NOLA_REGISTRY", DEFAULT_REGISTRY));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    String token = Files.readString(tokenFile).strip();
    Worker.Settings settings =
        new Worker.Settings(
            name == null ? Worker.machineName() : name,
            slots,
            memory == null
                ? Worker.machineMemory() / 100 * SHARE_PERCENT / Math.max(1, slots)
                : memory * MEGABYTE,
            disk * MEGABYTE,
            work == null ? UserDirectories.cache(System.getenv()).resolve("worker") : work,
            models);
    Path keyFile = key == null ? KeyFile.standard(System.getenv()) : key;
    try (Worker worker =
        new Worker(
            registry(),
            token,
            settings,
            KeyFile.readOrMake(keyFile),
            line -> out.println(Instant.now().truncatedTo(ChronoUnit.SECONDS) + " " + line))) {
      worker.run();
    }
    return 0;
  }
}

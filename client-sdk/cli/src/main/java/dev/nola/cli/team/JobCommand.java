package dev.nola.cli.team;

import dev.nola.api.job.JobChange;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobRetry;
import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import dev.nola.client.RegistryException;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.ExitCode;
import dev.nola.command.OutputPath;
import dev.nola.digest.Sha256;
import dev.nola.files.StagedOutput;
import dev.nola.text.Label;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Jobs, which workers run. */
@Command(
    name = "job",
    description = "Submit, follow, cancel and retry jobs.",
    mixinStandardHelpOptions = true,
    subcommands = {
      JobSubmitCommand.class,
      JobCommand.ListAll.class,
      JobCommand.Show.class,
      JobCommand.Logs.class,
      JobCommand.Cancel.class,
      JobCommand.Retry.class,
      JobCommand.Priority.class,
      JobCommand.Result.class
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Examples:",
      "  nola job submit job.yaml --adapter acme/mood@1.1.0 --dataset acme/e2e --model acme/llama"
          + " -f",
      "  nola job list --state queued"
    })
public final class JobCommand {
  private static final String ID = "ID";
  private static final String DESCRIPTION = "The job's id in full, as nola job list shows it.";
  private static final UUID NONE = new UUID(0, 0);

  private JobCommand() {}

  @Command(
      name = "list",
      aliases = "ls",
      description = "List jobs of your namespaces, latest first.",
      mixinStandardHelpOptions = true)
  static final class ListAll extends RegistryAction {
    private static final int LONGEST_PAGE = 100;

    @Option(
        names = "--state",
        paramLabel = "STATE",
        description = "Only jobs in this state: queued, running, succeeded, failed or cancelled.")
    private @Nullable JobState state;

    @Option(
        names = "--type",
        paramLabel = "TYPE",
        description = "Only jobs of this type: train, verify or export.")
    private @Nullable JobType type;

    @Option(
        names = "--namespace",
        paramLabel = "NAMESPACE",
        description = "Only jobs of this namespace.")
    private @Nullable String namespace;

    @Option(
        names = "--adapter",
        paramLabel = "NAMESPACE/NAME",
        description = "Only jobs of this adapter.")
    private @Nullable String adapter;

    @Option(
        names = "--limit",
        paramLabel = "N",
        description =
            "Maximum number of jobs, latest first, up to 10000 (default: ${DEFAULT-VALUE}).")
    private int limit = 30;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      if (limit < 1 || limit > Texts.MAX_LISTED) {
        throw new IllegalArgumentException(
            "invalid --limit: %d; must be 1 to %d".formatted(limit, Texts.MAX_LISTED));
      }
      Map<String, String> filters = new LinkedHashMap<>();
      put(filters, "state", state == null ? null : Label.of(state));
      put(filters, "type", type == null ? null : Label.of(type));
      put(filters, "namespace", namespace);
      put(filters, "adapter", adapter);
      List<JobDetails> jobs = new ArrayList<>();
      @Nullable String cursor = null;
      do {
        filters.put("limit", Integer.toString(Math.min(LONGEST_PAGE, limit - jobs.size())));
        var page = client.jobs().list(filters, cursor);
        jobs.addAll(page.items());
        cursor = page.items().isEmpty() ? null : page.next();
      } while (cursor != null && jobs.size() < limit);
      output.print(jobs, out -> JobTexts.table(jobs).print(out));
      if (cursor != null) {
        output.message(
            "there are older jobs; %s",
            limit < Texts.MAX_LISTED
                ? "list more with --limit " + Math.min(Texts.MAX_LISTED, 2 * limit)
                : "--limit cannot be larger: select by --state, --type, --namespace or --adapter");
      }
      return ExitCode.OK;
    }

    private static void put(Map<String, String> filters, String name, @Nullable String value) {
      if (value != null) {
        filters.put(name, value);
      }
    }
  }

  @Command(
      name = "show",
      description = "Show a job: how far it is, why it waits, or why it failed.",
      mixinStandardHelpOptions = true)
  static final class Show extends RegistryAction {
    @Parameters(paramLabel = ID, converter = Id.class, description = DESCRIPTION)
    private UUID id = NONE;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      JobDetails job = client.jobs().get(id);
      output.print(job, out -> JobTexts.details(job).print(out));
      return ExitCode.OK;
    }
  }

  @Command(
      name = "logs",
      description = {
        "Print the events of a job: changes of state, its log, progress and metrics.",
        "With --follow, the exit code is 0 if the job succeeds, and 1 if it fails or is cancelled."
      },
      mixinStandardHelpOptions = true)
  static final class Logs extends RegistryAction {
    @Parameters(paramLabel = ID, converter = Id.class, description = DESCRIPTION)
    private UUID id = NONE;

    @Option(
        names = {"-f", "--follow"},
        description = "Wait for further events until the job has ended.")
    private boolean follow;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      JobFollower follower = new JobFollower(client.jobs(), output);
      return follow ? follower.follow(id) : follower.printSoFar(id);
    }
  }

  @Command(
      name = "cancel",
      description = "Cancel a job: a queued one ends at once, a running one within seconds.",
      mixinStandardHelpOptions = true)
  static final class Cancel extends RegistryAction {
    @Parameters(paramLabel = ID, converter = Id.class, description = DESCRIPTION)
    private UUID id = NONE;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      JobDetails job = client.jobs().cancel(id);
      output.print(
          job,
          out ->
              out.println(
                  job.state().isEnd()
                      ? "cancelled job " + id
                      : "job %s stops with its worker's next heartbeat".formatted(id)));
      return ExitCode.OK;
    }
  }

  @Command(
      name = "retry",
      description = {
        "Retry a job that failed or was cancelled.",
        "A result that could not be published is published now, without training again."
      },
      mixinStandardHelpOptions = true)
  static final class Retry extends RegistryAction {
    @Parameters(paramLabel = ID, converter = Id.class, description = DESCRIPTION)
    private UUID id = NONE;

    @Option(
        names = "--new-version",
        paramLabel = "VERSION",
        description = "Publish a training's result as this version instead, such as 1.0.1.")
    private @Nullable String version;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      JobDetails job = retry(client);
      output.print(job, out -> out.printf("job %s is %s%n", id, Label.of(job.state())));
      return ExitCode.OK;
    }

    private JobDetails retry(NolaClient client) throws IOException, InterruptedException {
      try {
        return client.jobs().retry(id, new JobRetry(version));
      } catch (RegistryException e) {
        boolean isTaken = e.problem() != null && e.problem().type().endsWith(":version-exists");
        throw isTaken ? Advice.add(e, "choose a free number with --new-version") : e;
      }
    }
  }

  @Command(
      name = "priority",
      description = "Change the priority of a queued job; higher goes first.",
      mixinStandardHelpOptions = true)
  static final class Priority extends RegistryAction {
    @Parameters(index = "0", paramLabel = ID, converter = Id.class, description = DESCRIPTION)
    private UUID id = NONE;

    @Parameters(index = "1", paramLabel = "N", description = "The priority, such as 5.")
    private int priority;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      JobDetails job = client.jobs().change(id, new JobChange(priority));
      output.print(job, out -> out.printf("job %s has priority %d%n", id, job.priority()));
      return ExitCode.OK;
    }
  }

  @Command(
      name = "result",
      description = {
        "Download what a job made: the zip archive of an export, or the adapter file of a training"
            + " that could not be published.",
        "A published adapter is downloaded with nola pull."
      },
      mixinStandardHelpOptions = true)
  static final class Result extends RegistryAction {
    private static final long MAX_BYTES = 1L << 40;

    @Parameters(paramLabel = ID, converter = Id.class, description = DESCRIPTION)
    private UUID id = NONE;

    @Option(
        names = {"-o", "--output"},
        converter = OutputPath.class,
        required = true,
        paramLabel = "FILE",
        description = "The file to write; must not exist.")
    private Path file = Path.of("");

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      Sha256 digest;
      try (StagedOutput staged = StagedOutput.begin(file)) {
        digest = client.jobs().result(id, staged.path(), MAX_BYTES);
        staged.finish();
      }
      output.print(
          Map.of("output", file.toString(), "digest", digest.toString()),
          out -> out.printf("wrote %s %s%n", file, digest));
      return ExitCode.OK;
    }
  }
}

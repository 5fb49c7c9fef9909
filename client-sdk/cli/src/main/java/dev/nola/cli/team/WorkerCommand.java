package dev.nola.cli.team;

import dev.nola.api.job.WorkerDetails;
import dev.nola.client.RegistryException;
import dev.nola.client.registry.AllPages;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.Table;
import dev.nola.text.Label;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The workers that a registry knows; the launcher starts one with the same word. */
@Command(
    name = "worker",
    description = "List the workers of a registry; without list or show, ./nola runs a worker.",
    mixinStandardHelpOptions = true,
    subcommands = {WorkerCommand.ListAll.class, WorkerCommand.Show.class},
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Example:", "  nola worker list --active"})
public final class WorkerCommand {
  private WorkerCommand() {}

  private static List<WorkerDetails> all(NolaClient client)
      throws IOException, InterruptedException {
    return AllPages.read("workers", Texts.MAX_LISTED, client.jobs()::workers);
  }

  @Command(
      name = "list",
      aliases = "ls",
      description = {
        "List the workers that asked for jobs within the last day.",
        "Only a worker whose key is approved gets verifications."
      },
      mixinStandardHelpOptions = true)
  static final class ListAll extends RegistryAction {
    @Option(names = "--active", description = "Only workers that are running.")
    private boolean active;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      List<WorkerDetails> workers =
          all(client).stream().filter(worker -> !active || worker.active()).toList();
      output.print(
          workers,
          out -> {
            Table table =
                new Table(
                    "WORKER",
                    "ACCOUNT",
                    "STATE",
                    "LAST ASKED",
                    "KEY",
                    "BACKENDS",
                    "MEMORY",
                    "MODELS");
            for (WorkerDetails worker : workers) {
              table.row(
                  worker.name(),
                  worker.account(),
                  state(worker),
                  Texts.ago(worker.lastAskedAt()),
                  keyState(worker),
                  backends(worker),
                  Output.bytes(worker.memoryBytes()),
                  Integer.toString(worker.models().size()));
            }
            table.print(out);
          });
      return ExitCode.OK;
    }
  }

  private static String state(WorkerDetails worker) {
    if (!worker.jobs().isEmpty()) {
      return "running " + Output.count(worker.jobs().size(), "job");
    }
    return worker.active() ? "idle" : "ended";
  }

  private static String keyState(WorkerDetails worker) {
    return worker.keyState() == null ? "not registered" : Label.of(worker.keyState());
  }

  private static String backends(WorkerDetails worker) {
    return String.join(", ", worker.backends()) + (worker.cuda() ? ", GPU" : "");
  }

  @Command(
      name = "show",
      description = "Show what a worker offers, with its models and jobs.",
      mixinStandardHelpOptions = true)
  static final class Show extends RegistryAction {
    @Parameters(paramLabel = "NAME", description = "The worker.")
    private String name = "";

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      List<WorkerDetails> found =
          all(client).stream().filter(worker -> worker.name().equals(name)).toList();
      if (found.isEmpty()) {
        throw new RegistryException(
            RegistryException.Kind.NOT_FOUND,
            0,
            null,
            null,
            "worker %s not found; nola worker list shows those that the registry knows"
                .formatted(name));
      }
      output.print(
          found,
          out -> {
            Table table = new Table();
            found.forEach(worker -> describe(worker, table));
            table.print(out);
          });
      return ExitCode.OK;
    }

    private static void describe(WorkerDetails worker, Table table) {
      table
          .row("worker", worker.name())
          .row("account", worker.account())
          .row("state", state(worker))
          .row("started", Texts.time(worker.startedAt()))
          .row("last asked", Texts.ago(worker.lastAskedAt()))
          .row("backends", backends(worker))
          .row("memory", Output.bytes(worker.memoryBytes()) + " a job")
          .row("key", "%s, %s".formatted(worker.key(), keyState(worker)));
      for (WorkerDetails.HeldModel model : worker.models()) {
        table.row(
            "model",
            "%s@%s"
                .formatted(
                    model.name() == null ? "not registered: " : model.name(), model.revision()));
      }
      if (!worker.jobs().isEmpty()) {
        table.row(
            "jobs", worker.jobs().stream().map(UUID::toString).collect(Collectors.joining("\n")));
      }
    }
  }
}

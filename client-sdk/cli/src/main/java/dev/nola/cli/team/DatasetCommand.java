package dev.nola.cli.team;

import dev.nola.api.name.ObjectKind;
import dev.nola.client.registry.NolaClient;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Datasets, which jobs train with. */
@Command(
    name = "dataset",
    description = "Push, list and show the datasets that jobs use.",
    mixinStandardHelpOptions = true,
    subcommands = {
      DatasetCommand.Push.class,
      DatasetCommand.ListAll.class,
      DatasetCommand.Show.class
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Example:", "  nola dataset push e2e/ acme/e2e"})
public final class DatasetCommand {
  private DatasetCommand() {}

  @Command(
      name = "push",
      description = {
        "Upload a file, or a folder's files except hidden ones, and register them as a revision.",
        "Files that the registry has already are not sent again."
      },
      mixinStandardHelpOptions = true)
  static final class Push extends ObjectAction.Push {
    @Parameters(index = "0", paramLabel = "FILE_OR_DIR", description = "The file or folder.")
    private Path source = Path.of("");

    Push() {
      super(ObjectKind.DATASET);
    }

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      return push(client, source, true);
    }
  }

  @Command(
      name = "list",
      aliases = "ls",
      description = "List datasets, each in its latest revision.",
      mixinStandardHelpOptions = true)
  static final class ListAll extends ObjectAction.ListAll {
    ListAll() {
      super(ObjectKind.DATASET);
    }
  }

  @Command(
      name = "show",
      description = "Show a revision of a dataset and its files.",
      mixinStandardHelpOptions = true)
  static final class Show extends ObjectAction.Show {
    Show() {
      super(ObjectKind.DATASET);
    }
  }
}

package dev.nola.cli.team;

import dev.nola.api.name.ObjectKind;
import dev.nola.client.registry.NolaClient;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Base models, which jobs train on. */
@Command(
    name = "model",
    description = "Push, list and show the base models that jobs use.",
    mixinStandardHelpOptions = true,
    subcommands = {ModelCommand.Push.class, ModelCommand.ListAll.class, ModelCommand.Show.class},
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Example:", "  nola model push llama/ acme/llama"})
public final class ModelCommand {
  private ModelCommand() {}

  @Command(
      name = "push",
      description = {
        "Register a model's folder as a revision, with all its files except hidden ones.",
        "Files that the registry has already are not sent again."
      },
      mixinStandardHelpOptions = true)
  static final class Push extends ObjectAction.Push {
    @Parameters(index = "0", paramLabel = "DIR", description = "The folder of the model.")
    private Path folder = Path.of("");

    @Option(
        names = "--digests-only",
        description =
            "Send no files, only their digests: workers that have the model in --models can use"
                + " it.")
    private boolean digestsOnly;

    Push() {
      super(ObjectKind.MODEL);
    }

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      if (Files.exists(folder) && !Files.isDirectory(folder)) {
        throw new FileSystemException(
            folder.toString(),
            null,
            "is a file; push the model's folder, with its config and tokenizer");
      }
      return push(client, folder, !digestsOnly);
    }
  }

  @Command(
      name = "list",
      aliases = "ls",
      description = "List models, each in its latest revision.",
      mixinStandardHelpOptions = true)
  static final class ListAll extends ObjectAction.ListAll {
    ListAll() {
      super(ObjectKind.MODEL);
    }
  }

  @Command(
      name = "show",
      description = "Show a revision of a model and its files.",
      mixinStandardHelpOptions = true)
  static final class Show extends ObjectAction.Show {
    Show() {
      super(ObjectKind.MODEL);
    }
  }
}

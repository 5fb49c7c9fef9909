package dev.nola.cli;

import dev.nola.api.AdapterDetails;
import dev.nola.api.Alias;
import dev.nola.api.AliasChange;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.Reference;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.Output;
import dev.nola.command.RegistryOption;
import dev.nola.command.Table;
import dev.nola.command.YankedVersions;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Movable names of versions. */
@Command(
    name = "alias",
    description = "Manage aliases such as prod, which point to versions.",
    mixinStandardHelpOptions = true,
    subcommands = {
      AliasCommand.Set.class,
      AliasCommand.Remove.class,
      AliasCommand.ListAll.class,
      AliasCommand.History.class
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Examples:",
      "  nola alias set acme/mood@1.2.0 prod",
      "  nola alias history acme/mood prod"
    })
final class AliasCommand {
  @Command(
      name = "set",
      description = "Point an alias to a version; creates or moves the alias.",
      mixinStandardHelpOptions = true)
  static final class Set implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "NAMESPACE/NAME@VERSION", description = "The version.")
    private String reference = "";

    @Parameters(index = "1", paramLabel = "ALIAS", description = "The alias.")
    private String alias = "";

    @Mixin private RegistryOption registry = new RegistryOption();
    @Mixin private Output output = new Output();

    @Override
    public Integer call() throws IOException, InterruptedException {
      Reference target = Reference.parse(reference);
      try (NolaClient client = registry.client(output)) {
        // An alias points to a number: what another alias or a range means now is found first.
        String version =
            target.isPinned() && target.digest() == null
                ? target.version()
                : YankedVersions.explaining(
                    client, target, () -> client.adapters().version(target).version());
        Alias set = client.aliases().set(target.adapter(), alias, version);
        output.print(
            set, out -> out.printf("%s@%s = %s%n", target.adapter(), set.alias(), set.version()));
      }
      return 0;
    }
  }

  @Command(
      name = "remove",
      aliases = "rm",
      description = "Remove an alias; its history is kept.",
      mixinStandardHelpOptions = true)
  static final class Remove implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "NAMESPACE/NAME", description = "The adapter.")
    private String adapter = "";

    @Parameters(index = "1", paramLabel = "ALIAS", description = "The alias.")
    private String alias = "";

    @Mixin private RegistryOption registry = new RegistryOption();
    @Mixin private Output output = new Output();

    @Override
    public Integer call() throws IOException, InterruptedException {
      try (NolaClient client = registry.client(output)) {
        client.aliases().remove(AdapterName.parse(adapter), alias);
      }
      output.print(
          Map.of("adapter", adapter, "removed", alias),
          out -> out.printf("removed %s@%s%n", adapter, alias));
      return 0;
    }
  }

  @Command(
      name = "list",
      aliases = "ls",
      description = "List the aliases of an adapter.",
      mixinStandardHelpOptions = true)
  static final class ListAll implements Callable<Integer> {
    @Parameters(paramLabel = "NAMESPACE/NAME", description = "The adapter.")
    private String adapter = "";

    @Mixin private RegistryOption registry = new RegistryOption();
    @Mixin private Output output = new Output();

    @Override
    public Integer call() throws IOException, InterruptedException {
      try (NolaClient client = registry.client(output)) {
        AdapterDetails details = client.adapters().get(AdapterName.parse(adapter));
        output.print(
            details.aliases(),
            out ->
                details
                    .aliases()
                    .forEach((alias, target) -> out.printf("%s = %s%n", alias, target)));
      }
      return 0;
    }
  }

  @Command(
      name = "history",
      description = "Show the history of an alias: its versions, and who moved it.",
      mixinStandardHelpOptions = true)
  static final class History implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "NAMESPACE/NAME", description = "The adapter.")
    private String adapter = "";

    @Parameters(index = "1", paramLabel = "ALIAS", description = "The alias.")
    private String alias = "";

    @Mixin private RegistryOption registry = new RegistryOption();
    @Mixin private Output output = new Output();

    @Override
    public Integer call() throws IOException, InterruptedException {
      try (NolaClient client = registry.client(output)) {
        List<AliasChange> history = client.aliases().history(AdapterName.parse(adapter), alias);
        output.print(
            history,
            out -> {
              Table table = new Table("VERSION", "BY", "AT");
              for (AliasChange change : history) {
                String target = change.version() == null ? "(removed)" : change.version();
                table.row(target, change.by(), change.at().toString());
              }
              table.print(out);
            });
      }
      return 0;
    }
  }
}

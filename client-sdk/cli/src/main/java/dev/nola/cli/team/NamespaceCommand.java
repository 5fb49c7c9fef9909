package dev.nola.cli.team;

import dev.nola.api.Namespace;
import dev.nola.client.registry.AllPages;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.ExitCode;
import dev.nola.command.Table;
import dev.nola.text.Label;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Namespaces, which hold adapters, models and datasets. */
@Command(
    name = "namespace",
    description = "Create, list and delete namespaces.",
    mixinStandardHelpOptions = true,
    subcommands = {
      NamespaceCommand.Create.class,
      NamespaceCommand.ListAll.class,
      NamespaceCommand.Show.class,
      NamespaceCommand.Delete.class
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Example:", "  nola namespace create acme"})
public final class NamespaceCommand {
  private NamespaceCommand() {}

  @Command(
      name = "create",
      description = "Create a namespace, which you own; nothing happens if you own it already.",
      mixinStandardHelpOptions = true)
  static final class Create extends RegistryAction {
    @Parameters(paramLabel = "NAMESPACE", description = "The namespace.")
    private String name = "";

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      Namespace created = client.namespaces().create(name);
      output.print(created, out -> out.println("you own namespace " + created.name()));
      return ExitCode.OK;
    }
  }

  @Command(
      name = "list",
      aliases = "ls",
      description = "List the namespaces that you are a member of; for admins, all.",
      mixinStandardHelpOptions = true)
  static final class ListAll extends RegistryAction {
    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      List<Namespace> namespaces =
          AllPages.read("namespaces", Texts.MAX_LISTED, client.namespaces()::list);
      output.print(
          namespaces,
          out -> {
            Table table = new Table("NAMESPACE", "ROLE", "CREATED");
            for (Namespace namespace : namespaces) {
              table.row(namespace.name(), role(namespace), Texts.time(namespace.createdAt()));
            }
            table.print(out);
          });
      return ExitCode.OK;
    }
  }

  private static String role(Namespace namespace) {
    return namespace.role() == null ? "none" : Label.of(namespace.role());
  }

  @Command(
      name = "show",
      description = "Show a namespace and your role in it.",
      mixinStandardHelpOptions = true)
  static final class Show extends RegistryAction {
    @Parameters(paramLabel = "NAMESPACE", description = "The namespace.")
    private String name = "";

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      Namespace namespace = client.namespaces().get(name);
      output.print(
          namespace,
          out ->
              new Table()
                  .row("namespace", namespace.name())
                  .row("role", role(namespace))
                  .row("created", Texts.time(namespace.createdAt()))
                  .print(out));
      return ExitCode.OK;
    }
  }

  @Command(
      name = "delete",
      description =
          "Delete a namespace that never had an adapter, a model, a dataset or a job; for owners.",
      mixinStandardHelpOptions = true)
  static final class Delete extends RegistryAction {
    @Parameters(paramLabel = "NAMESPACE", description = "The namespace.")
    private String name = "";

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      client.namespaces().delete(name);
      output.print(Map.of("deleted", name), out -> out.println("deleted namespace " + name));
      return ExitCode.OK;
    }
  }
}

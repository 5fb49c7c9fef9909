package dev.nola.cli.team;

import dev.nola.api.AdapterChange;
import dev.nola.api.AdapterDetails;
import dev.nola.api.Visibility;
import dev.nola.api.name.AdapterName;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.ExitCode;
import dev.nola.text.Label;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Changes what a registry states about an adapter beside its versions. */
@Command(
    name = "adapter",
    description = "Change an adapter's description or visibility without publishing.",
    mixinStandardHelpOptions = true,
    subcommands = AdapterCommand.Edit.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Example:", "  nola adapter edit acme/mood --visibility private"})
public final class AdapterCommand {
  private AdapterCommand() {}

  @Command(
      name = "edit",
      description = "Change an adapter's description or visibility; its versions stay as they are.",
      mixinStandardHelpOptions = true)
  static final class Edit extends RegistryAction {
    @Parameters(paramLabel = "NAMESPACE/NAME", description = "The adapter.")
    private String adapter = "";

    @Option(
        names = "--description",
        paramLabel = "TEXT",
        description = "Text for people, which replaces the one in the adapter's files.")
    private @Nullable String description;

    @Option(
        names = "--visibility",
        paramLabel = "VISIBILITY",
        description =
            "Who sees the adapter: public, or private for members of its namespace. Only owners of"
                + " the namespace may change it.")
    private @Nullable Visibility visibility;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      if (description == null && visibility == null) {
        throw new IllegalArgumentException("nothing to change; pass --description or --visibility");
      }
      AdapterDetails changed =
          client
              .adapters()
              .change(AdapterName.parse(adapter), new AdapterChange(description, visibility));
      output.print(
          changed,
          out ->
              out.printf(
                  "%s is %s: %s%n",
                  adapter, Label.of(changed.visibility()), changed.description()));
      return ExitCode.OK;
    }
  }
}

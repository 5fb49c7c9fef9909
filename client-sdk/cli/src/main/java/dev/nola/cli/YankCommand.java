package dev.nola.cli;

import dev.nola.api.VersionSummary;
import dev.nola.api.name.Reference;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.Output;
import dev.nola.command.RegistryOption;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Withdraws a version from new use. */
@Command(
    name = "yank",
    description = {
      "Withdraw a version from new use: latest and ranges skip it.",
      "It can still be pulled by its number, digest or alias, with a warning."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola yank acme/mood@1.2.0 --reason 'trained on the wrong split'",
      "  nola yank acme/mood@1.2.0 --undo"
    })
final class YankCommand implements Callable<Integer> {
  @Parameters(paramLabel = "NAMESPACE/NAME@VERSION", description = "The version, by number.")
  private String reference = "";

  @ArgGroup(multiplicity = "1")
  private What what = new What();

  /** Withdraw it, or take that back. */
  private static final class What {
    @Option(
        names = "--reason",
        paramLabel = "TEXT",
        description = "The reason, shown to anyone who pulls the version.")
    private @Nullable String reason;

    @Option(names = "--undo", description = "Undo an earlier yank.")
    private boolean undo;
  }

  @Mixin private RegistryOption registry = new RegistryOption();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    Reference version = NumberedVersion.parse(reference);
    try (NolaClient client = registry.client(output)) {
      VersionSummary summary =
          what.reason == null
              ? client.adapters().unyank(version.adapter(), version.version())
              : client.adapters().yank(version.adapter(), version.version(), what.reason);
      output.print(
          summary,
          out ->
              out.printf(
                  "%s %s%n", summary.yanked() == null ? "no longer yanked:" : "yanked", version));
    }
    return 0;
  }
}

package dev.nola.cli;

import dev.nola.command.Output;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;

/** Prints a script for shells. */
@Command(
    name = "completion",
    description = "Print a script that completes commands and options in bash and zsh.",
    mixinStandardHelpOptions = true,
    footer = {"", "Example:", "  source <(nola completion)"})
final class CompletionCommand implements Callable<Integer> {
  private static final String HEADER =
      """
      #!/usr/bin/env bash
      # Completes the commands and options of nola in bash and zsh: source <(nola completion)
      """;

  /** The comments that picocli begins a script with: how to install another program. */
  private static final Pattern PREAMBLE = Pattern.compile("\\A(#.*\\R)+");

  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    CommandLine nola = output.command().root().commandLine();
    for (String command : Main.LAUNCHER_COMMANDS.split(", ")) {
      if (!nola.getSubcommands().containsKey(command)) {
        nola.addSubcommand(command, CommandSpec.create());
      }
    }
    String script = PREAMBLE.matcher(AutoComplete.bash("nola", nola)).replaceFirst(HEADER);
    output.print(Map.of("script", script), out -> out.print(script));
    return 0;
  }
}

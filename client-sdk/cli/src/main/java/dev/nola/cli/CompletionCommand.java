package dev.nola.cli;

import dev.nola.command.Output;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Prints a script for shells. */
@Command(
    name = "completion",
    description = "Print a script that completes commands and options in bash and zsh.",
    mixinStandardHelpOptions = true,
    footer = {"", "Example:", "  source <(nola completion)"})
final class CompletionCommand implements Callable<Integer> {
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    String script = AutoComplete.bash("nola", output.command().root().commandLine());
    output.print(Map.of("script", script), out -> out.print(script));
    return 0;
  }
}

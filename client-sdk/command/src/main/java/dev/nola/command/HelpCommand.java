package dev.nola.command;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** Prints the help of a command at any depth. */
@Command(
    name = "help",
    description = "Show the help of a command, such as nola help job submit.",
    mixinStandardHelpOptions = true,
    helpCommand = true)
public final class HelpCommand implements Runnable {
  @Parameters(
      arity = "0..*",
      paramLabel = "COMMAND",
      description = "The command (default: the program).")
  private List<String> names = List.of();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    CommandLine command = spec.root().commandLine();
    for (String name : names) {
      CommandLine named = command.getSubcommands().get(name);
      if (named == null) {
        throw new UnmatchedArgumentException(command, List.of(name));
      }
      command = named;
    }
    command.usage(command.getOut());
  }
}

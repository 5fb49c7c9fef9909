package dev.nola.demo;

import dev.nola.command.Console;
import dev.nola.command.HelpCommand;
import dev.nola.command.RootCommand;
import dev.nola.trainer.TrainingFailures;
import picocli.CommandLine.Command;

/** The program of {@code nola demo}. */
@Command(
    name = "nola",
    description = "Shows the whole system at work.",
    mixinStandardHelpOptions = true,
    subcommands = {DemoCommand.class, HelpCommand.class},
    synopsisSubcommandLabel = "COMMAND")
public final class DemoMain extends RootCommand {
  DemoMain(Console console) {
    super(console, TrainingFailures.ALL);
  }

  /**
   * Runs a command and ends the JVM with its exit code.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    RootCommand.main(DemoMain::new, args);
  }
}

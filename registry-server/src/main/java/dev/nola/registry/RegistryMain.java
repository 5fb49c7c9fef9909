package dev.nola.registry;

import dev.nola.command.Console;
import dev.nola.command.HelpCommand;
import dev.nola.command.RootCommand;
import java.util.stream.Stream;
import picocli.CommandLine.Command;

/** Entry point of the registry's process. */
public final class RegistryMain {
  private RegistryMain() {}

  /**
   * Starts the server, which then runs until the process is asked to end; or runs a command on its
   * blobs.
   *
   * @param args the options of {@code nola serve}, with or without {@code serve} before them; or
   *     {@code blobs} and what follows it
   */
  public static void main(String[] args) {
    RootCommand.main(Program::new, withCommand(args));
  }

  private static String[] withCommand(String[] args) {
    return args.length > 0 && (args[0].equals("serve") || args[0].equals("blobs"))
        ? args
        : Stream.concat(Stream.of("serve"), Stream.of(args)).toArray(String[]::new);
  }

  /** The program of {@code nola serve} and {@code nola blobs}. */
  @Command(
      name = "nola",
      description = "Runs a registry, or copies its blobs.",
      mixinStandardHelpOptions = true,
      subcommands = {ServeCommand.class, BlobsCommand.class, HelpCommand.class},
      synopsisSubcommandLabel = "COMMAND")
  static final class Program extends RootCommand {
    Program(Console console) {
      super(console, ServeCommand.FAILURES);
    }
  }
}

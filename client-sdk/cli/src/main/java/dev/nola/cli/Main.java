package dev.nola.cli;

import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Entry point: what {@code nola} does without a command, and how its commands fail. */
@Command(
    name = "nola",
    description =
        "Adapters stored as a seed and a few hundred coefficients, reconstructed bit-exactly.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    subcommands = {InspectCommand.class, VerifyCommand.class},
    synopsisSubcommandLabel = "COMMAND",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:it worked",
      "1:an adapter is refused: damaged, not readable by this version, or its bits differ",
      "2:the command line is wrong",
      "3:a file cannot be read"
    })
public final class Main implements Runnable {
  static final int REFUSED = 1;
  static final int UNREADABLE = 3;

  @Option(
      names = "--debug",
      scope = CommandLine.ScopeType.INHERIT,
      description = "Show stack traces.")
  private boolean debug;

  @CommandLine.Spec
  private CommandLine.Model.CommandSpec spec = CommandLine.Model.CommandSpec.create();

  /** Runs a command and ends the JVM with its exit code. */
  public static void main(String[] args) {
    System.exit(
        run(
            new PrintWriter(System.out, true, StandardCharsets.UTF_8),
            new PrintWriter(System.err, true, StandardCharsets.UTF_8),
            args));
  }

  /** Runs a command and returns its exit code. */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    Main main = new Main();
    return new CommandLine(main)
        .setOut(out)
        .setErr(err)
        .setExecutionExceptionHandler((failure, command, _) -> main.report(failure, command))
        .execute(args);
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  private int report(Exception failure, CommandLine command) {
    PrintWriter err = command.getErr();
    Path file = command.getParseResult().matchedPositionalValue(0, Path.of(""));
    err.printf("nola %s: %s: %s%n", command.getCommandName(), file, reason(failure));
    if (debug) {
      failure.printStackTrace(err);
    }
    return switch (failure) {
      case AdapterException _ -> REFUSED;
      case IOException _ -> UNREADABLE;
      default -> CommandLine.ExitCode.USAGE;
    };
  }

  private static String reason(Exception failure) {
    return switch (failure) {
      case NoSuchFileException _ -> "no such file";
      case AccessDeniedException _ -> "permission denied";
      case AdapterException refused -> refused.getMessage();
      case IOException io -> "cannot be read: " + io.getMessage();
      default -> failure.getMessage();
    };
  }

  /** The version of this program and of the format. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {
        "nola %s, adapter format %s"
            .formatted(version == null ? "(not packaged)" : version, AdapterFile.VERSION)
      };
    }
  }
}

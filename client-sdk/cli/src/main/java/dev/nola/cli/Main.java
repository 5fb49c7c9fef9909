package dev.nola.cli;

import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.format.AdapterTooNewException;
import dev.nola.format.AdapterTooOldException;
import dev.nola.format.CorruptAdapterException;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.LimitExceededException;
import dev.nola.format.UnsupportedGeneratorException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

/** Entry point: what {@code nola} does without a command, and how its commands fail. */
@Command(
    name = "nola",
    description =
        "Adapters stored as a seed and a few hundred coefficients, reconstructed bit-exactly.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    subcommands = {InspectCommand.class, VerifyCommand.class, CommandLine.HelpCommand.class},
    synopsisSubcommandLabel = "COMMAND",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:it worked",
      "1:an adapter is refused: damaged, not readable by this version, or its bits differ",
      "2:the command line is wrong",
      "3:a file cannot be read, or the output not be written",
      "70:an error inside nola: please report it"
    })
public final class Main implements Runnable {
  static final int REFUSED = 1;
  static final int UNREADABLE = 3;
  static final int INTERNAL = 70;

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
    int exitCode =
        new CommandLine(main)
            .setOut(out)
            .setErr(err)
            .setExecutionExceptionHandler((failure, command, _) -> main.report(failure, command))
            .execute(args);
    if (out.checkError()) {
      err.println("nola: the output cannot be written");
      return UNREADABLE;
    }
    return exitCode;
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  private int report(Exception failure, CommandLine command) {
    PrintWriter err = command.getErr();
    if (command.getParseResult().hasMatchedOption("--json")) {
      command
          .getOut()
          .println(
              JsonMapper.shared()
                  .createObjectNode()
                  .put("ok", false)
                  .put("kind", kind(failure))
                  .put("error", reason(failure)));
    }
    err.printf(
        "nola %s: %s%s%n", command.getCommandName(), file(failure, command), reason(failure));
    if (debug) {
      failure.printStackTrace(err);
    }
    return switch (failure) {
      case AdapterException _ -> REFUSED;
      case IOException _ -> UNREADABLE;
      case IllegalArgumentException _ -> CommandLine.ExitCode.USAGE;
      default -> INTERNAL;
    };
  }

  private static String file(Exception failure, CommandLine command) {
    Path file = command.getParseResult().matchedPositionalValue(0, null);
    return failure instanceof IOException && file != null ? file + ": " : "";
  }

  private static String reason(Exception failure) {
    return switch (failure) {
      case NoSuchFileException _ -> "no such file";
      case AccessDeniedException _ -> "permission denied";
      case AdapterException refused -> refused.getMessage();
      case IOException io -> "cannot be read: " + io.getMessage();
      case IllegalArgumentException illegal -> illegal.getMessage();
      default -> "internal error: " + failure;
    };
  }

  /**
   * The kinds of SPEC.md section 11, and {@code unreadable} and {@code error} for what is not the
   * file's fault.
   */
  private static String kind(Exception failure) {
    if (failure instanceof AdapterException refused) {
      return switch (refused) {
        case CorruptAdapterException _ -> "corrupt";
        case AdapterTooNewException _ -> "too-new";
        case AdapterTooOldException _ -> "too-old";
        case UnsupportedGeneratorException _ -> "unsupported-generator";
        case LimitExceededException _ -> "limit-exceeded";
        case DigestMismatchException _ -> "digest-mismatch";
      };
    }
    return failure instanceof IOException ? "unreadable" : "error";
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

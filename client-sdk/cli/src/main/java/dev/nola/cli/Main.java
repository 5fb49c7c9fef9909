package dev.nola.cli;

import dev.nola.format.AdapterFile;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;
import tools.jackson.databind.json.JsonMapper;

/** Entry point: what {@code nola} does without a command, and how its commands fail. */
@Command(
    name = "nola",
    description =
        "Adapters stored as a seed and a few hundred coefficients, reconstructed bit-exactly.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    subcommands = {
      InspectCommand.class,
      VerifyCommand.class,
      ReconstructCommand.class,
      MergeCommand.class,
      ExportCommand.class,
      DiffCommand.class,
      SynthCommand.class,
      PullCommand.class,
      PublishCommand.class,
      SearchCommand.class,
      ShowCommand.class,
      AliasCommand.class,
      YankCommand.class,
      LoginCommand.class,
      LogoutCommand.class,
      WhoamiCommand.class,
      CacheCommand.class,
      LockCommand.class,
      CompletionCommand.class,
      CommandLine.HelpCommand.class
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Commands of other programs, which ./nola starts as well: serve, train, worker, demo, generate, import-onnx,"
          + " import-wordnet.",
      "Environment: NOLA_REGISTRY (URL), NOLA_TOKEN (for it alone), NOLA_CACHE and NOLA_CONFIG (folders), NO_COLOR."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:it worked",
      "1:an adapter or a model is refused: damaged, not readable by this version, its bits differ, others do not attest them as required, or it does not fit; also: diff found a difference, or verify --lock could not prove something",
      "2:the command line is wrong",
      "3:a file cannot be read or written",
      "4:the registry says no, or cannot be reached",
      "70:an error inside nola: please report it",
      "130:interrupted"
    })
public final class Main implements Runnable {
  /** How long Ctrl-C waits for a command to remove what it has begun. */
  private static final int PATIENCE_SECONDS = 30;

  private static final int HELP_WIDTH = 100;

  private final Console console;

  @Option(
      names = "--debug",
      scope = CommandLine.ScopeType.INHERIT,
      description = "Show stack traces.")
  private boolean debug;

  @CommandLine.Spec
  private CommandLine.Model.CommandSpec spec = CommandLine.Model.CommandSpec.create();

  Main(Console console) {
    this.console = console;
  }

  /** Runs a command and ends the JVM with its exit code. */
  public static void main(String[] args) {
    Console console =
        new Console(
            new PrintWriter(System.out, true, StandardCharsets.UTF_8),
            new PrintWriter(System.err, true, StandardCharsets.UTF_8),
            System.in,
            System.getenv(),
            Boolean.getBoolean("nola.interactive"));
    CountDownLatch ended = new CountDownLatch(1);
    AtomicBoolean exiting = new AtomicBoolean();
    Thread command = Thread.currentThread();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  if (!exiting.get()) {
                    command.interrupt(); // Ctrl-C: the command removes what it has begun
                    awaitEnd(ended);
                  }
                }));
    int exitCode = run(console, args);
    ended.countDown();
    exiting.set(true);
    System.exit(exitCode);
  }

  private static void awaitEnd(CountDownLatch ended) {
    try {
      boolean clean = ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
      if (!clean) {
        System.err.println("nola: ended without having cleaned up");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts a shutdown hook", e);
    }
  }

  /** Runs a command and returns its exit code. */
  static int run(Console console, String... args) {
    Main main = new Main(console);
    int exitCode =
        commandLine(main)
            .setOut(console.out())
            .setErr(console.err())
            .setExecutionExceptionHandler((failure, command, _) -> main.report(failure, command))
            .execute(args);
    if (console.out().checkError()) {
      console.err().println("nola: the output cannot be written");
      return Failure.UNREADABLE;
    }
    return exitCode;
  }

  private static CommandLine commandLine(Main main) {
    return new CommandLine(main)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpWidth(HELP_WIDTH)
        .setParameterExceptionHandler(main::misused);
  }

  Console console() {
    return console;
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  private int report(Exception exception, CommandLine command) {
    boolean json = command.getParseResult().hasMatchedOption("--json");
    return report(Failure.of(exception), exception, command, json);
  }

  /** A misspelled option matters more than that it is missed under its right name. */
  private int misused(ParameterException exception, String[] args) {
    CommandLine command = exception.getCommandLine();
    List<String> unmatched = command.getUnmatchedArguments();
    List<String> options = unmatched.stream().filter(argument -> argument.startsWith("-")).toList();
    ParameterException told =
        unmatched.isEmpty()
            ? exception
            : new UnmatchedArgumentException(command, options.isEmpty() ? unmatched : options);
    String suggestion =
        told instanceof UnmatchedArgumentException unknown && !unknown.getSuggestions().isEmpty()
            ? "; did you mean " + unknown.getSuggestions().getFirst() + "?"
            : "";
    String reason =
        "%s%s; see %s --help"
            .formatted(told.getMessage(), suggestion, command.getCommandSpec().qualifiedName());
    Failure failure = new Failure(CommandLine.ExitCode.USAGE, "usage", reason);
    return report(failure, exception, command, List.of(args).contains("--json"));
  }

  private int report(Failure failure, Exception exception, CommandLine command, boolean json) {
    if (json) {
      console
          .out()
          .println(
              JsonMapper.shared()
                  .createObjectNode()
                  .put("ok", false)
                  .put("kind", failure.kind())
                  .put("error", failure.reason()));
    }
    PrintableWriter.on(console.err())
        .println(command.getCommandSpec().qualifiedName() + ": " + failure.reason());
    if (debug) {
      exception.printStackTrace(console.err());
    }
    return failure.exitCode();
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

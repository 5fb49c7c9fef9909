package dev.nola.command;

import dev.nola.text.Suggestion;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;
import tools.jackson.databind.json.JsonMapper;

/**
 * A program of several commands: parses the command line, runs the command, and reports how it
 * failed, as one JSON document on stdout if {@code --json} is among the arguments, and as a
 * sentence on stderr in any case.
 *
 * <p>Subclasses carry picocli's {@code @Command} with the subcommands.
 */
public abstract class RootCommand implements Runnable {
  /** How long Ctrl-C waits for a command to remove what it has begun. */
  private static final int CLEANUP_SECONDS = 30;

  private static final int HELP_WIDTH = 100;

  /** What picocli puts before its complaints about groups of options. */
  private static final String ERROR = "Error: ";

  private static final String JSON = "--json";

  private final Console console;
  private final Failures failures;
  private final Map<String, String> commandsElsewhere;

  @Option(
      names = "--debug",
      scope = CommandLine.ScopeType.INHERIT,
      description = "Print stack traces of errors.")
  private boolean debug;

  @Spec private CommandSpec spec = CommandSpec.create();

  /**
   * Creates a program.
   *
   * @param console its streams and environment
   * @param failures knows the exceptions that its commands throw
   */
  protected RootCommand(Console console, Failures failures) {
    this(console, failures, Map.of());
  }

  /**
   * Creates a program that is one of several that a launcher starts.
   *
   * @param console its streams and environment
   * @param failures knows the exceptions that its commands throw
   * @param commandsElsewhere the commands of the other programs, which may have been meant, with a
   *     line about each for {@code --help}, in this order
   */
  protected RootCommand(Console console, Failures failures, Map<String, String> commandsElsewhere) {
    this.console = console;
    this.failures = failures;
    this.commandsElsewhere = new LinkedHashMap<>(commandsElsewhere);
  }

  /**
   * Runs a command in this process and ends it with the command's exit code. Ctrl-C interrupts the
   * command, which then has {@value #CLEANUP_SECONDS} seconds to remove what it has begun.
   *
   * @param program creates the program
   * @param args the command line
   */
  public static void main(Function<Console, RootCommand> program, String... args) {
    // Text is for programs too, and libraries compare words in the locale of the process.
    Locale.setDefault(Locale.ROOT);
    StandardStreams.restoreStderr();
    Thread command = Thread.currentThread();
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  if (ended.getCount() > 0) {
                    command.interrupt();
                    awaitEnd(ended);
                  }
                }));
    int exitCode = program.apply(Console.ofProcess()).execute(args);
    ended.countDown();
    System.exit(exitCode);
  }

  private static void awaitEnd(CountDownLatch ended) {
    try {
      if (!ended.await(CLEANUP_SECONDS, TimeUnit.SECONDS)) {
        System.err.println("nola: ended without cleaning up");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("a shutdown hook was interrupted", e);
    }
  }

  /**
   * Runs a command.
   *
   * @param args the command line
   * @return the exit code, one of {@link ExitCode}
   */
  public final int execute(String... args) {
    CommandLine commandLine =
        new CommandLine(this)
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setUsageHelpWidth(HELP_WIDTH)
            .setOut(console.out())
            .setErr(console.err())
            .setParameterExceptionHandler(this::reportUsage)
            .setExecutionExceptionHandler((exception, command, _) -> report(exception, command));
    commandLine
        .getCommandSpec()
        .usageMessage()
        .exitCodeListHeading("%nExit codes:%n")
        .exitCodeList(ExitCode.descriptions());
    commandLine
        .getHelpSectionMap()
        .put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, this::commandList);
    removeVersion(commandLine);
    int exitCode = execute(commandLine, args);
    if (console.out().checkError()) {
      if (console.out() instanceof StandardStreams.Stdout out && out.isClosedByReader()) {
        return ExitCode.CLOSED_PIPE;
      }
      console.err().println("nola: cannot write to stdout");
      return ExitCode.UNREADABLE;
    }
    return exitCode;
  }

  /** Lists the commands of this program and of the others. */
  private String commandList(CommandLine.Help help) {
    Map<String, CommandLine.Help> commands = new LinkedHashMap<>(help.subcommands());
    commandsElsewhere.forEach(
        (name, description) -> {
          CommandSpec command = CommandSpec.create().name(name);
          command.usageMessage().description(description);
          commands.put(name, new CommandLine.Help(command, help.colorScheme()));
        });
    return help.commandList(commands);
  }

  /**
   * Leaves {@code --version} to the program: a command that accepted it would ignore its other
   * arguments.
   */
  private static void removeVersion(CommandLine program) {
    for (CommandLine command : program.getSubcommands().values()) {
      OptionSpec version = command.getCommandSpec().findOption("--version");
      if (version != null && version.versionHelp()) {
        command.getCommandSpec().remove(version);
      }
      removeVersion(command);
    }
  }

  private int execute(CommandLine commandLine, String... args) {
    try {
      return commandLine.execute(args);
    } catch (OutOfMemoryError e) {
      CommandLine command = commandLine;
      ParseResult parsed = commandLine.getParseResult();
      while (parsed.hasSubcommand()) {
        parsed = parsed.subcommand();
        command = parsed.commandSpec().commandLine();
      }
      return report(Failures.ofOutOfMemory(), e, command, List.of(args).contains(JSON));
    }
  }

  /**
   * Returns what surrounds the program.
   *
   * @return its streams and environment
   */
  public final Console console() {
    return console;
  }

  /** Prints the usage: what the program does without a command. */
  @Override
  public final void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  private int report(Exception exception, CommandLine command) {
    boolean json = command.getParseResult().hasMatchedOption(JSON);
    return report(failures.of(exception), exception, command, json);
  }

  private int reportUsage(ParameterException exception, String[] args) {
    CommandLine command = exception.getCommandLine();
    ParameterException mistake = mistake(exception, command, List.of(args));
    String reason =
        "%s%s; see %s --help"
            .formatted(
                message(mistake), suggestion(mistake), command.getCommandSpec().qualifiedName());
    return report(
        new Failure(ExitCode.USAGE, "usage", reason),
        exception,
        command,
        List.of(args).contains(JSON));
  }

  /** Names the command or option that was probably meant, or else lists the commands. */
  private String suggestion(ParameterException mistake) {
    if (!(mistake instanceof UnmatchedArgumentException unmatched)) {
      return "";
    }
    CommandLine command = mistake.getCommandLine();
    boolean isProgram = command.getCommandSpec() == spec;
    List<String> words = new ArrayList<>();
    if (unmatched.isUnknownOption()) {
      command.getCommandSpec().options().forEach(option -> words.addAll(List.of(option.names())));
    } else {
      words.addAll(command.getSubcommands().keySet());
      if (isProgram) {
        words.addAll(commandsElsewhere.keySet());
      }
    }
    String unknown = unmatched.getUnmatched().getFirst().replaceFirst("=.*", "");
    return Suggestion.nearest(words, unknown)
        .map(nearest -> "; did you mean " + nearest + "?")
        .orElse(unmatched.isUnknownOption() || words.isEmpty() || isProgram ? "" : rule(command));
  }

  /** Says what is wrong as the commands themselves do, where picocli words it differently. */
  private static String message(ParameterException mistake) {
    if (mistake instanceof UnmatchedArgumentException unknown) {
      String first = unknown.getUnmatched().getFirst();
      String what =
          unknown.isUnknownOption()
              ? "unknown option"
              : unknown.getCommandLine().getSubcommands().isEmpty()
                  ? "unexpected argument"
                  : "unknown command";
      return what + ": " + first;
    }
    String message = String.valueOf(mistake.getMessage());
    if (message.equals("Missing required subcommand")) {
      return missingCommand(mistake.getCommandLine());
    }
    if (mistake.getArgSpec() instanceof OptionSpec option && mistake.getValue() != null) {
      List<String> choices = Choices.of(option);
      if (!choices.isEmpty()) {
        return "invalid %s: %s; must be %s%s"
            .formatted(
                option.longestName(),
                mistake.getValue(),
                choices.size() == 1 ? "" : "one of ",
                String.join(", ", choices));
      }
    }
    return message.startsWith(ERROR) ? message.substring(ERROR.length()) : message;
  }

  private static String missingCommand(CommandLine command) {
    return "missing command" + rule(command);
  }

  private static String rule(CommandLine command) {
    return "; must be one of "
        + String.join(
            ", ",
            command.getSubcommands().values().stream()
                .map(CommandLine::getCommandName)
                .distinct()
                .toList());
  }

  /**
   * Prefers a misspelled option to the complaint that the right one is missing, and a command that
   * is unknown or missing to the options that it would have.
   */
  private static ParameterException mistake(
      ParameterException exception, CommandLine command, List<String> args) {
    List<String> unmatched = command.getUnmatchedArguments();
    if (unmatched.isEmpty()) {
      return exception;
    }
    boolean isGroup = !command.getSubcommands().isEmpty();
    List<String> wrong =
        unmatched.stream().filter(argument -> !isGroup || !argument.equals(JSON)).toList();
    if (wrong.isEmpty()) {
      return args.stream().anyMatch(command.getSubcommands()::containsKey)
          ? new UnmatchedArgumentException(command, unmatched)
          : new ParameterException(command, missingCommand(command));
    }
    List<String> options = wrong.stream().filter(argument -> argument.startsWith("-")).toList();
    boolean isUnknownCommand = isGroup && !wrong.getFirst().startsWith("-");
    return new UnmatchedArgumentException(
        command, options.isEmpty() || isUnknownCommand ? wrong : options);
  }

  private int report(Failure failure, Throwable exception, CommandLine command, boolean json) {
    if (json) {
      console
          .out()
          .println(
              Output.escape(
                  JsonMapper.shared()
                      .createObjectNode()
                      .put("ok", false)
                      .put("kind", failure.kind())
                      .put("error", failure.reason())
                      .toString()));
    }
    console
        .printableErr()
        .printf("%s: %s%n", command.getCommandSpec().qualifiedName(), failure.reason());
    if (debug) {
      exception.printStackTrace(console.err());
    }
    return failure.exitCode();
  }
}

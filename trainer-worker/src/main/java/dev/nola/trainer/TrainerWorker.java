package dev.nola.trainer;

import dev.nola.trainer.demo.DemoCommand;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

/** Entry point: the commands of {@code nola} that are about training, and how they fail. */
@Command(
    name = "nola",
    description =
        "Trains adapters, imports what they are trained with, and does a registry's jobs.",
    mixinStandardHelpOptions = true,
    subcommands = {
      TrainCommand.class,
      GenerateCommand.class,
      WorkerCommand.class,
      RunTaskCommand.class,
      ImportOnnxCommand.class,
      ImportWordNetCommand.class,
      DemoCommand.class,
      CommandLine.HelpCommand.class
    },
    synopsisSubcommandLabel = "COMMAND",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:it worked",
      "1:a model or other data is refused: damaged, or not of the kind that is needed",
      "2:the command line or the job file is wrong",
      "3:a file cannot be read or written",
      "4:the registry says no, or cannot be reached",
      "70:an error inside nola: please report it",
      "130:interrupted"
    })
public final class TrainerWorker implements Runnable {
  /** How long Ctrl-C waits for a command to remove what it has begun. */
  private static final int PATIENCE_SECONDS = 30;

  @Option(
      names = "--debug",
      scope = CommandLine.ScopeType.INHERIT,
      description = "Show stack traces.")
  private boolean debug;

  @CommandLine.Spec
  private CommandLine.Model.CommandSpec spec = CommandLine.Model.CommandSpec.create();

  /** Runs a command and ends the JVM with its exit code. */
  public static void main(String[] args) {
    Thread command = Thread.currentThread();
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  if (ended.getCount() > 0) {
                    command.interrupt(); // Ctrl-C: the command removes what it has begun
                    awaitEnd(ended);
                  }
                }));
    int exitCode =
        run(
            new PrintWriter(System.out, true, StandardCharsets.UTF_8),
            new PrintWriter(System.err, true, StandardCharsets.UTF_8),
            args);
    ended.countDown();
    System.exit(exitCode);
  }

  private static void awaitEnd(CountDownLatch ended) {
    try {
      if (!ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        System.err.println("nola: ended without having cleaned up");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts a shutdown hook", e);
    }
  }

  /** Runs a command and returns its exit code. */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    TrainerWorker main = new TrainerWorker();
    int exitCode =
        new CommandLine(main)
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setOut(out)
            .setErr(err)
            .setExecutionExceptionHandler((failure, command, _) -> main.report(failure, command))
            .execute(args);
    if (out.checkError()) {
      err.println("nola: the output cannot be written");
      return Failure.UNREADABLE;
    }
    return exitCode;
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  private int report(Exception exception, CommandLine command) {
    Failure failure = Failure.of(exception);
    if (command.getParseResult().hasMatchedOption("--json")) {
      command
          .getOut()
          .println(
              JsonMapper.shared()
                  .createObjectNode()
                  .put("ok", false)
                  .put("kind", failure.kind())
                  .put("error", failure.reason()));
    }
    command.getErr().printf("%s: %s%n", command.getCommandSpec().qualifiedName(), failure.reason());
    if (debug) {
      exception.printStackTrace(command.getErr());
    }
    return failure.exitCode();
  }
}

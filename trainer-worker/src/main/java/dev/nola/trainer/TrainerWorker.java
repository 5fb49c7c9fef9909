package dev.nola.trainer;

import dev.nola.command.Console;
import dev.nola.command.ExitCode;
import dev.nola.command.Failure;
import dev.nola.command.Failures;
import dev.nola.command.RootCommand;
import dev.nola.trainer.data.InvalidDataException;
import dev.nola.trainer.job.JobFileException;
import dev.nola.trainer.model.UnsupportedModelException;
import dev.nola.trainer.onnx.InvalidOnnxException;
import java.io.InputStream;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The commands for training, and the worker. */
@Command(
    name = "nola",
    description = "Trains adapters, imports models and data sets, and runs a registry's jobs.",
    mixinStandardHelpOptions = true,
    subcommands = {
      TrainCommand.class,
      GenerateCommand.class,
      WorkerCommand.class,
      RunTaskCommand.class,
      ImportOnnxCommand.class,
      ImportWordNetCommand.class,
      CommandLine.HelpCommand.class
    },
    synopsisSubcommandLabel = "COMMAND")
public final class TrainerWorker extends RootCommand {
  /** Knows the exceptions of training, too. */
  public static final Failures FAILURES = Failures.STANDARD.with(TrainerWorker::failure);

  TrainerWorker(Console console) {
    super(console, FAILURES);
  }

  /**
   * Runs a command and ends the JVM with its exit code.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    RootCommand.main(TrainerWorker::new, args);
  }

  /** Runs a command with an empty standard input and returns its exit code. */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    Console console = new Console(out, err, InputStream.nullInputStream(), System.getenv(), false);
    return new TrainerWorker(console).execute(args);
  }

  private static @Nullable Failure failure(Exception exception) {
    return switch (exception) {
      case JobFileException invalid ->
          new Failure(ExitCode.USAGE, "invalid-job", String.valueOf(invalid.getMessage()));
      case InvalidOnnxException invalid -> Failures.refused("invalid-onnx", invalid);
      case InvalidDataException invalid -> Failures.refused("invalid-data", invalid);
      case UnsupportedModelException unsupported ->
          Failures.refused("unsupported-model", unsupported);
      default -> null;
    };
  }
}

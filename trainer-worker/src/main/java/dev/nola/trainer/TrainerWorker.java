package dev.nola.trainer;

import dev.nola.command.Console;
import dev.nola.command.HelpCommand;
import dev.nola.command.RootCommand;
import java.io.InputStream;
import java.io.PrintWriter;
import picocli.CommandLine.Command;

/** The commands for training, and the worker. */
@Command(
    name = "nola",
    description = "Trains adapters, imports models and data sets, and runs a registry's jobs.",
    mixinStandardHelpOptions = true,
    subcommands = {
      TrainCommand.class,
      EvaluateCommand.class,
      NearestCommand.class,
      PredictCommand.class,
      GenerateCommand.class,
      ChooseCommand.class,
      TargetsCommand.class,
      RankCoverageCommand.class,
      WorkerCommand.class,
      RunTaskCommand.class,
      ImportOnnxCommand.class,
      ImportWordNetCommand.class,
      ImportTextsCommand.WebNlg.class,
      ImportTextsCommand.Dart.class,
      ImportTextsCommand.E2e.class,
      HelpCommand.class
    },
    synopsisSubcommandLabel = "COMMAND")
public final class TrainerWorker extends RootCommand {
  TrainerWorker(Console console) {
    super(console, TrainingFailures.ALL);
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
}

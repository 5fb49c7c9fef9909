package dev.nola.trainer;

import dev.nola.command.Table;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * The results of a job that was run several times.
 *
 * @param runs result of each run
 * @param validationLoss losses of the files on the validation examples
 * @param validationAccuracy accuracies of the files on the validation examples
 */
record RepeatedRuns(
    List<TrainCommand.Report> runs, Spread validationLoss, Spread validationAccuracy) {
  /**
   * A mean over runs.
   *
   * @param mean the mean
   * @param std sample standard deviation, with n − 1
   */
  record Spread(double mean, double std) {
    private static Spread of(
        List<TrainCommand.Report> runs, ToDoubleFunction<TrainCommand.Report> metric) {
      double mean = runs.stream().mapToDouble(metric).average().orElseThrow();
      double squares =
          runs.stream().mapToDouble(run -> Math.pow(metric.applyAsDouble(run) - mean, 2)).sum();
      return new Spread(mean, Math.sqrt(squares / (runs.size() - 1)));
    }
  }

  /** Computes mean and standard deviation of two or more runs. */
  static RepeatedRuns of(List<TrainCommand.Report> runs) {
    return new RepeatedRuns(
        List.copyOf(runs),
        Spread.of(runs, TrainCommand.Report::validationLoss),
        Spread.of(runs, TrainCommand.Report::validationAccuracy));
  }

  void print(PrintWriter out) {
    Table table = new Table("adapter", "loss", "accuracy");
    for (TrainCommand.Report run : runs) {
      table.row(run.output(), number(run.validationLoss()), number(run.validationAccuracy()));
    }
    table.row("mean", number(validationLoss.mean), number(validationAccuracy.mean));
    table.row("std", number(validationLoss.std), number(validationAccuracy.std));
    table.print(out);
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.4f", value);
  }
}

package dev.nola.trainer;

import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.command.ProgressBar;
import dev.nola.trainer.job.JobFile;
import dev.nola.trainer.job.TrainingJob;
import dev.nola.trainer.training.Evaluation;
import dev.nola.trainer.training.TrainingRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Trains an adapter. */
@Command(
    name = "train",
    description = {
      "Train an adapter as described by a job file.",
      "NAME.run, beside the adapter, holds checkpoints, metrics.jsonl and loss.svg. The job's keys"
          + " are in trainer-worker/README.md."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola train job.yaml -o mood.nola",
      "  nola train job.yaml -o mood.nola --resume"
    })
final class TrainCommand implements Callable<Integer> {
  @Parameters(paramLabel = "JOB.yaml", description = "The job.")
  private Path job = Path.of("");

  @Option(
      names = {"-o", "--output"},
      converter = OutputPath.class,
      required = true,
      paramLabel = "FILE",
      description =
          "The adapter file to write; with run.repeat, NAME-1.nola, NAME-2.nola, … are written.")
  private Path destination = Path.of("");

  @Option(
      names = "--resume",
      description =
          "Continue from the last checkpoint, to the same bytes as without the interruption; start"
              + " at step 0 without one. run.steps may be larger than before; other settings must not"
              + " differ.")
  private boolean resume;

  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    TrainingJob settings = JobFile.read(job);
    int runs = settings.run().repeat().runs();
    if (runs == 1) {
      TrainingRun.Result result = run(settings, destination, "");
      output.print(Report.of(result), out -> print(result, out));
      return ExitCode.OK;
    }
    List<TrainingRun.Result> results = new ArrayList<>();
    for (int i = 0; i < runs; i++) {
      String label = " %d of %d".formatted(i + 1, runs);
      results.add(run(settings.repetition(i), numbered(destination, i + 1), label));
    }
    RepeatedRuns repeated = RepeatedRuns.of(results.stream().map(Report::of).toList());
    output.print(repeated, repeated::print);
    return ExitCode.OK;
  }

  /** Returns, say, {@code mood-2.nola}. */
  private static Path numbered(Path file, int number) {
    String name = file.getFileName().toString();
    int dot = name.lastIndexOf('.');
    String extension = dot < 1 ? "" : name.substring(dot);
    return file.resolveSibling(
        name.substring(0, name.length() - extension.length()) + "-" + number + extension);
  }

  private TrainingRun.Result run(TrainingJob settings, Path file, String label)
      throws IOException, InterruptedException {
    try (ProgressBar bar = output.stepBar("train" + label)) {
      TrainingRun.Listener listener =
          new TrainingRun.Listener() {
            @Override
            public void stepped(long step, long steps, double loss) {
              bar.update(step, steps, String.format(Locale.ROOT, " loss %.4f", loss));
            }

            @Override
            public void resumed(long step, long steps) {
              if (step == 0) {
                output.message("no checkpoint; starts at step 1");
              } else if (step < steps) {
                output.message("continues at step %d", step + 1);
              } else {
                output.message("all %d steps are taken; writes the adapter again", steps);
              }
            }

            @Override
            public void warned(String message) {
              output.warn(message);
            }
          };
      return new TrainingRun(settings, file, resume, listener).run();
    } catch (InterruptedException e) {
      if (Files.exists(TrainingRun.checkpoint(file))) {
        output.message("continue with: nola train %s -o %s --resume", job, destination);
      }
      throw e;
    }
  }

  private static void print(TrainingRun.Result result, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "wrote %s: %,d bytes, %,d parameters, %,d steps%n"
            + "validation, of the written adapter: loss %.4f, accuracy %.4f",
        result.output().file(),
        result.output().bytes(),
        result.parameters(),
        result.steps(),
        result.evaluation().loss(),
        result.evaluation().accuracy());
    Evaluation base = result.evaluations().base();
    if (base == null) {
      out.println();
    } else {
      out.printf(Locale.ROOT, ", perplexity %.3f%n", result.evaluation().perplexity());
      out.printf(
          Locale.ROOT, "base model: loss %.4f, perplexity %.3f%n", base.loss(), base.perplexity());
    }
  }

  /**
   * What {@code --json} prints. It has nine components because JSON has them side by side.
   *
   * @param output path of the adapter file
   * @param bytes size of the adapter file, in bytes
   * @param parameters number of values that were trained
   * @param steps number of steps taken
   * @param validationLoss loss of the file on the validation examples
   * @param baseValidationLoss loss of the base model alone; null if it cannot do the task
   * @param validationAccuracy accuracy of the file on the validation examples
   * @param skippedExamples number of examples that were too long
   * @param reconstructionDigest digest of the file's reconstruction
   */
  record Report(
      String output,
      long bytes,
      long parameters,
      long steps,
      double validationLoss,
      @Nullable Double baseValidationLoss,
      double validationAccuracy,
      long skippedExamples,
      String reconstructionDigest) {
    static Report of(TrainingRun.Result result) {
      return new Report(
          result.output().file().toString(),
          result.output().bytes(),
          result.parameters(),
          result.steps(),
          result.evaluation().loss(),
          result.evaluations().base() == null ? null : result.evaluations().base().loss(),
          result.evaluation().accuracy(),
          result.skipped(),
          result.output().reconstructionDigest().toString());
    }
  }
}

package dev.nola.trainer;

import dev.nola.trainer.job.JobFile;
import dev.nola.trainer.training.TrainingRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Trains an adapter. */
@Command(
    name = "train",
    description = {
      "Train an adapter as a job file says, and write it.",
      "Beside the adapter lies NAME.run with checkpoints, metrics.jsonl and loss.svg. The job's keys"
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
  private static final int BAR_WIDTH = 90;

  @Parameters(paramLabel = "JOB.yaml", description = "The job.")
  private Path job = Path.of("");

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE",
      description = "The adapter file to write.")
  private Path output = Path.of("");

  @Option(
      names = "--resume",
      description =
          "Go on from the last checkpoint, to the same bytes as if nothing had happened; begin if"
              + " there is none.")
  private boolean resume;

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "No progress, only the result and errors.")
  private boolean quiet;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, InterruptedException {
    TrainingRun.Result result;
    try (Bar bar = new Bar(spec.commandLine().getErr(), quiet)) {
      result = new TrainingRun(JobFile.read(job), output, resume, bar).run();
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ObjectNode node =
          JsonMapper.shared()
              .createObjectNode()
              .put("output", result.file().toString())
              .put("bytes", result.bytes())
              .put("parameters", result.parameters())
              .put("steps", result.steps())
              .put("validationLoss", result.evaluation().loss())
              .put("validationAccuracy", result.evaluation().accuracy())
              .put("skippedExamples", result.skipped())
              .put("reconstructionDigest", result.reconstructionDigest().toString());
      out.println(JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(node));
    } else {
      out.printf(
          Locale.ROOT,
          "wrote %s: %,d bytes, %,d parameters, %,d steps%n"
              + "validation, from the file: loss %.4f, perplexity %.3f, accuracy %.4f%n",
          result.file(),
          result.bytes(),
          result.parameters(),
          result.steps(),
          result.evaluation().loss(),
          result.evaluation().perplexity(),
          result.evaluation().accuracy());
    }
    return 0;
  }

  /** Draws steps, their loss and the time that is left, on a terminal only. */
  private static final class Bar implements TrainingRun.Listener, AutoCloseable {
    private final PrintWriter to;
    private final boolean drawn;
    private @Nullable ProgressBar bar;

    Bar(PrintWriter to, boolean quiet) {
      this.to = to;
      this.drawn = Boolean.getBoolean("nola.interactive") && !quiet;
    }

    @Override
    public void at(long step, long steps, double loss) {
      if (!drawn) {
        return;
      }
      ProgressBar current = bar;
      if (current == null) {
        current =
            new ProgressBarBuilder()
                .setTaskName("train")
                .setInitialMax(steps)
                .startsFrom(step - 1, Duration.ZERO)
                .setStyle(ProgressBarStyle.ASCII)
                .setConsumer(new DelegatingProgressBarConsumer(this::draw, BAR_WIDTH))
                .build();
        bar = current;
      }
      current.setExtraMessage(String.format(Locale.ROOT, " loss %.4f", loss));
      current.stepTo(step);
    }

    private void draw(String line) {
      to.print("\r" + line);
      to.flush();
    }

    @Override
    public void close() {
      if (bar != null) {
        bar.close();
        to.print("\r\033[K");
        to.flush();
      }
    }
  }
}

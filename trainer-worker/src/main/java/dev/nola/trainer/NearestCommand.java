package dev.nola.trainer;

import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.ProgressBar;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.data.Dataset;
import dev.nola.trainer.data.DatasetReader;
import dev.nola.trainer.job.JobFile;
import dev.nola.trainer.job.TrainingJob;
import dev.nola.trainer.job.TrainingJob.Source.PreTrained;
import dev.nola.trainer.job.TrainingJob.Task;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Head;
import dev.nola.trainer.model.Tensors;
import dev.nola.trainer.model.UnsupportedModelException;
import dev.nola.trainer.training.NearestNeighbors;
import dev.nola.trainer.training.NearestNeighbors.Prediction;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures nearest neighbors among the features of a base model that is not trained. */
@Command(
    name = "nearest",
    description = {
      "Classify the validation examples of a job by their nearest training examples: the cosine of"
          + " what a classifier of the base model would see. Nothing is trained.",
      "Of the job, model, task and data count, run.device, run.threads and run.microBatch."
    },
    mixinStandardHelpOptions = true,
    footer = {"", "Example:", "  nola nearest job.yaml -k 1"})
final class NearestCommand implements Callable<Integer> {
  @Parameters(paramLabel = "JOB.yaml", description = "The job.")
  private Path job = Path.of("");

  @Option(
      names = {"-k", "--neighbors"},
      paramLabel = "K",
      description =
          "Number of neighbors that vote; the nearest decides a tie. Default: ${DEFAULT-VALUE}.")
  private int neighbors = 1;

  @Mixin private Output output = new Output();

  /**
   * What {@code --json} prints.
   *
   * @param neighbors number of neighbors that vote
   * @param trainExamples number of examples to find them among
   * @param validationExamples number of examples that were classified
   * @param accuracy share of these whose class was found
   * @param predictions the class of each
   */
  private record Report(
      int neighbors,
      int trainExamples,
      int validationExamples,
      double accuracy,
      List<String> predictions) {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (neighbors < 1) {
      throw new IllegalArgumentException(
          "invalid --neighbors: " + neighbors + "; must be at least 1");
    }
    TrainingJob settings = JobFile.read(job);
    if (!(settings.model() instanceof PreTrained model)
        || settings.objective().task() != Task.CLASSIFICATION) {
      throw new IllegalArgumentException(
          job + ": has no base model with features; needs model.base and task classification");
    }
    Tensors.use(settings.run().compute().device().name(), settings.run().compute().threads());
    Report report;
    try (BaseModel base =
        BaseModel.loadClassifier(model.folder(), settings.objective().pooling(), model.type())) {
      settings.requireReadableBy(base.network());
      AdaptedWeights weights = new AdaptedWeights(base, List.of(), Kernels.chosen());
      requireFeatures(base, weights, model.folder());
      Dataset data =
          DatasetReader.read(settings.data(), model.folder(), settings.objective().labels());
      if (neighbors > data.train().size()) {
        throw new IllegalArgumentException(
            "invalid --neighbors: %d; must be at most the number of training examples, %d"
                .formatted(neighbors, data.train().size()));
      }
      data.warnings().forEach(output::warn);
      try (ProgressBar bar = output.stepBar("features")) {
        List<Prediction> predictions =
            new NearestNeighbors(base.network(), weights, settings.run().microBatch())
                .classify(data.train(), data.validation(), neighbors, bar);
        report = report(data, predictions);
      }
    }
    output.print(
        report,
        out ->
            out.printf(
                Locale.ROOT,
                "accuracy %.4f of %,d validation examples, by %s among %,d training examples%n",
                report.accuracy,
                report.validationExamples,
                Output.count(neighbors, "neighbor"),
                report.trainExamples));
    return ExitCode.OK;
  }

  /** Requires what a classifier sees to be the base model's alone: a new pooler is random. */
  private static void requireFeatures(BaseModel base, AdaptedWeights weights, Path folder)
      throws UnsupportedModelException {
    Head head = base.network().head();
    if (head != null && head.pooler() != null && !weights.has(head.pooler() + ".weight")) {
      throw new UnsupportedModelException(
          "%s: missing tensor: %s.weight, which makes features of the first token; use"
                  .formatted(folder, head.pooler())
              + " model.pooling: mean");
    }
  }

  private Report report(Dataset data, List<Prediction> predictions) {
    return new Report(
        neighbors,
        data.train().size(),
        data.validation().size(),
        predictions.stream()
            .mapToInt(each -> each.found() == each.label() ? 1 : 0)
            .average()
            .orElseThrow(),
        predictions.stream().map(each -> data.classes().get(each.found())).toList());
  }
}

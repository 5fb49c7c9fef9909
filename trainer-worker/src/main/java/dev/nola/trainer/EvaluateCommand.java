package dev.nola.trainer;

import dev.nola.client.lora.ImportRefusedException;
import dev.nola.client.merge.MergeRefusedException;
import dev.nola.command.AdapterSource;
import dev.nola.command.BaseOptions;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.data.DatasetReader;
import dev.nola.trainer.data.ExampleFile;
import dev.nola.trainer.image.ImageTransform;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.model.Mlp;
import dev.nola.trainer.training.Evaluation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures an adapter on a file of examples. */
@Command(
    name = "evaluate",
    description = {
      "Measure an adapter on a file of examples: loss and accuracy, or perplexity and the base"
          + " model's loss for text generation.",
      "The examples are read as in training; see trainer-worker/README.md."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola evaluate minilm/ acme/mood@prod --data test.tsv",
      "  nola evaluate llama/ e2e.nola --data test.jsonl --json",
      "  nola evaluate vit/ birds.nola --data birds/test"
    })
final class EvaluateCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "BASE",
      description = "The base model's folder, or - for a network that was trained from scratch.")
  private Path folder = Path.of("");

  @Parameters(index = "1", paramLabel = "FILE_OR_REF", description = "The adapter.")
  private String adapter = "";

  @Option(
      names = "--data",
      required = true,
      paramLabel = "FILE",
      description =
          "The examples; may end in .gz. For a vision model, a folder of images with a folder for"
              + " each class, or an IDX file.")
  private Path data = Path.of("");

  @Option(
      names = "--labels",
      paramLabel = "FILE",
      description = "The classes of the images of an IDX file.")
  private @Nullable Path labels;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description =
          "Longest text, as data.maxTokens in job files. Default: 256, or what the model allows.")
  private @Nullable Integer maxTokens;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Examples at a time. Default: ${DEFAULT-VALUE}.")
  private int batch = 16;

  @Mixin private DataOptions options = new DataOptions();
  @ArgGroup private BaseOptions baseOptions = new BaseOptions();
  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  /**
   * What {@code --json} prints.
   *
   * @param examples number of examples
   * @param skippedExamples number of examples that were too long
   * @param loss mean cross entropy
   * @param accuracy share of the targets that have the largest logit
   * @param perplexity e to the loss; null for a classifier
   * @param baseLoss loss of the base model alone; null for a classifier
   */
  private record Report(
      int examples,
      int skippedExamples,
      double loss,
      double accuracy,
      @Nullable Double perplexity,
      @Nullable Double baseLoss) {}

  @Override
  public Integer call()
      throws IOException, InterruptedException, ImportRefusedException, MergeRefusedException {
    if (maxTokens != null && maxTokens < 1) {
      throw new IllegalArgumentException(
          "invalid --max-tokens: " + maxTokens + "; must be at least 1");
    }
    if (batch < 1) {
      throw new IllegalArgumentException("invalid --batch: " + batch + "; must be at least 1");
    }
    try (LoadedAdapter model = LoadedAdapter.open(folder, adapter, source, baseOptions, output)) {
      ExampleFile file = examples(model);
      Report report = report(model, file);
      output.print(
          report,
          out -> {
            out.printf(Locale.ROOT, "examples        %,d%n", report.examples());
            if (report.skippedExamples() > 0) {
              out.printf(Locale.ROOT, "too long        %,d%n", report.skippedExamples());
            }
            out.printf(Locale.ROOT, "loss            %.4f%n", report.loss());
            out.printf(Locale.ROOT, "accuracy        %.4f%n", report.accuracy());
            if (report.perplexity() != null && report.baseLoss() != null) {
              out.printf(Locale.ROOT, "perplexity      %.3f%n", report.perplexity());
              out.printf(Locale.ROOT, "base's loss     %.4f%n", report.baseLoss());
            }
          });
    }
    return ExitCode.OK;
  }

  private ExampleFile examples(LoadedAdapter model) throws IOException, InterruptedException {
    if (model.network() instanceof Mlp mlp) {
      if (labels == null) {
        throw new IllegalArgumentException(
            "missing --labels; an MLP is measured on an IDX file of images and one of labels");
      }
      return DatasetReader.readFeatures(
          data, labels, mlp.widths().getFirst(), model.labels().size());
    }
    ImageTransform images = model.images();
    return images != null
        ? DatasetReader.readImages(data, labels, images, model.labels())
        : DatasetReader.read(
            options.layout(data, model.isClassifier()),
            data,
            model.tokenizer().maximum(maxTokens, "--max-tokens"),
            model.tokenizer(),
            model.labels());
  }

  private Report report(LoadedAdapter model, ExampleFile file)
      throws IOException, InterruptedException {
    Evaluation evaluation = Evaluation.of(model.network(), model.weights(), file.examples(), batch);
    Double baseLoss = null;
    if (!model.isClassifier()) {
      AdaptedWeights unchanged = new AdaptedWeights(model.base(), List.of(), Kernels.chosen());
      baseLoss = Evaluation.of(model.network(), unchanged, file.examples(), batch).loss();
    }
    return new Report(
        file.examples().size(),
        file.skipped(),
        evaluation.loss(),
        evaluation.accuracy(),
        baseLoss == null ? null : evaluation.perplexity(),
        baseLoss);
  }
}

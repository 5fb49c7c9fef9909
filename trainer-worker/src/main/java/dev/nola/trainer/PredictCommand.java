package dev.nola.trainer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.client.lora.ImportRefusedException;
import dev.nola.client.merge.MergeRefusedException;
import dev.nola.command.AdapterSource;
import dev.nola.command.BaseOptions;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.trainer.data.DatasetReader;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.data.InputTexts;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.data.TextTokenizer.Prompt;
import dev.nola.trainer.generate.Decoding;
import dev.nola.trainer.generate.TextGeneration;
import dev.nola.trainer.image.ImageSource;
import dev.nola.trainer.image.ImageTransform;
import dev.nola.trainer.method.MismatchedAdapterException;
import dev.nola.trainer.model.Input;
import dev.nola.trainer.model.Tensors;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Predicts the class of texts or images, or continues texts. */
@Command(
    name = "predict",
    description = {
      "Predict the class of texts or images with the probability of each, or continue texts by"
          + " greedy decoding.",
      "For serving, merge or export the adapter."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola predict minilm/ acme/mood@prod 'What a day!'",
      "  nola predict llama/ e2e.nola --data prompts.txt --max-tokens 40",
      "  nola predict vit/ birds.nola --data photos/"
    })
final class PredictCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "BASE",
      description = "The base model's folder, or - for a network that was trained from scratch.")
  private Path folder = Path.of("");

  @Parameters(index = "1", paramLabel = "FILE_OR_REF", description = "The adapter.")
  private String adapter = "";

  @Parameters(
      index = "2",
      arity = "0..1",
      paramLabel = "TEXT",
      description = "The text, or the file of an image.")
  private @Nullable String text;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description =
          "Instead of TEXT, a file with a text per line, or with JSON objects (.jsonl) or columns"
              + " (.csv, .tsv), which may end in .gz, or a folder of images.")
  private @Nullable Path data;

  @Option(
      names = "--field",
      paramLabel = "NAME",
      description =
          "Field or column of the text in --data. Default: text, or prompt for text generation.")
  private @Nullable String field;

  @Mixin private DecodingOptions options = new DecodingOptions();
  @ArgGroup private BaseOptions baseOptions = new BaseOptions();
  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  /**
   * A prediction.
   *
   * @param text the text, or the path of the image
   * @param label the most probable class; null for a continuation
   * @param probabilities probability of each class, highest first; null for a continuation
   * @param completion the continuation; null for a class
   */
  private record Prediction(
      String text,
      @Nullable String label,
      @Nullable Map<String, Double> probabilities,
      @Nullable String completion) {}

  @Override
  public Integer call()
      throws IOException, InterruptedException, ImportRefusedException, MergeRefusedException {
    if ((text == null) == (data == null)) {
      throw new ParameterException(
          output.command().commandLine(),
          text == null ? "missing TEXT, or --data" : "only one of TEXT and --data may be given");
    }
    Decoding decoding = options.decoding();
    try (LoadedAdapter model = LoadedAdapter.open(folder, adapter, source, baseOptions, output)) {
      List<String> texts = inputs(model);
      List<Prediction> predictions =
          model.isClassifier() ? classify(model, texts) : complete(model, texts, decoding);
      output.print(Map.of("predictions", predictions), out -> print(predictions, out));
    }
    return ExitCode.OK;
  }

  /** Returns texts, or paths of images. */
  private List<String> inputs(LoadedAdapter model) throws IOException {
    if (model.network().reads() == Input.Kind.FEATURES) {
      throw new MismatchedAdapterException(
          "adapter is an MLP, which reads the features of an IDX file; measure it with nola"
              + " evaluate - FILE --data IMAGES --labels LABELS");
    }
    if (model.images() != null) {
      Path images = data == null ? Path.of(String.valueOf(text)) : data;
      return DatasetReader.images(images).stream().map(Path::toString).toList();
    }
    return data == null ? List.of(String.valueOf(text)) : InputTexts.read(data, name(model));
  }

  private String name(LoadedAdapter model) {
    return field != null ? field : model.isClassifier() ? "text" : "prompt";
  }

  private void print(List<Prediction> predictions, PrintWriter out) {
    boolean isOne = predictions.size() == 1 && data == null;
    for (Prediction prediction : predictions) {
      Map<String, Double> probabilities = prediction.probabilities();
      if (probabilities == null) {
        out.println(prediction.completion());
      } else if (isOne) {
        probabilities.forEach(
            (label, probability) -> out.printf(Locale.ROOT, "%.4f  %s%n", probability, label));
      } else {
        out.printf(
            Locale.ROOT,
            "%.4f  %s  %s%n",
            probabilities.values().iterator().next(),
            prediction.label(),
            prediction.text());
      }
    }
  }

  private static Prediction classify(LoadedAdapter model, String input) throws IOException {
    ImageTransform images = model.images();
    Example example =
        images == null
            ? new Example.Classified(model.tokenizer().classified(input), 0)
            : new Example.Picture(new ImageSource.File(Path.of(input)), images, null, 0);
    try (NDManager manager = Tensors.newManager()) {
      model.weights().begin(manager, false);
      Minibatch batch = Minibatch.of(manager, List.of(example));
      NDArray logits = model.network().logits(batch.batch(), model.weights());
      float[] probabilities = logits.softmax(-1).toFloatArray();
      Map<String, Double> byLabel = new LinkedHashMap<>();
      IntStream.range(0, probabilities.length)
          .boxed()
          .sorted((a, b) -> Float.compare(probabilities[b], probabilities[a]))
          .forEach(i -> byLabel.put(model.labels().get(i), (double) probabilities[i]));
      return new Prediction(input, byLabel.keySet().iterator().next(), byLabel, null);
    }
  }

  private static List<Prediction> classify(LoadedAdapter model, List<String> texts)
      throws IOException, InterruptedException {
    List<Prediction> predictions = new ArrayList<>();
    model.weights().prepare();
    Tensors.recordGradients(false);
    for (String text : texts) {
      if (Thread.interrupted()) {
        throw new InterruptedException("the prediction was interrupted");
      }
      predictions.add(classify(model, text));
    }
    return predictions;
  }

  private static List<Prediction> complete(
      LoadedAdapter model, List<String> texts, Decoding decoding)
      throws IOException, InterruptedException {
    List<Prompt> prompts = new ArrayList<>();
    for (String text : texts) {
      prompts.add(model.tokenizer().prompt(text));
    }
    List<int[]> continued =
        new TextGeneration(model.network(), model.weights(), decoding)
            .generate(prompts, (_, _) -> {});
    List<Prediction> predictions = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      predictions.add(
          new Prediction(texts.get(i), null, null, model.tokenizer().text(continued.get(i))));
    }
    return predictions;
  }
}

package dev.nola.trainer;

import ai.djl.ndarray.types.Shape;
import dev.nola.client.lora.ImportRefusedException;
import dev.nola.client.merge.BaseComparison;
import dev.nola.client.merge.MergeRefusedException;
import dev.nola.client.merge.TensorNames;
import dev.nola.client.peft.Pooling;
import dev.nola.client.peft.StatedHead;
import dev.nola.client.safetensors.Model;
import dev.nola.command.AdapterSource;
import dev.nola.command.BaseOptions;
import dev.nola.command.Output;
import dev.nola.format.AdapterFile;
import dev.nola.format.DenseTensor;
import dev.nola.kernel.Kernels;
import dev.nola.text.Label;
import dev.nola.trainer.data.Bos;
import dev.nola.trainer.data.TextTokenizer;
import dev.nola.trainer.image.ImageConfig;
import dev.nola.trainer.image.ImageSettings;
import dev.nola.trainer.image.ImageTransform;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.method.MismatchedAdapterException;
import dev.nola.trainer.method.TrainedAdapter;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Head;
import dev.nola.trainer.model.Input;
import dev.nola.trainer.model.Mlp;
import dev.nola.trainer.model.Network;
import dev.nola.trainer.model.ResNet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A base model with an adapter, ready to compute.
 *
 * @param base the base model
 * @param texts the base model's tokenizer; null for a model of images or features
 * @param images what turns images into the input of a vision model; null for others
 * @param weights the weights with the adapter
 * @param labels names of the classes by number; empty for a language model
 */
record LoadedAdapter(
    BaseModel base,
    @Nullable TextTokenizer texts,
    @Nullable ImageTransform images,
    AdaptedWeights weights,
    List<String> labels)
    implements AutoCloseable {
  /** Stands for the folder of a base model where the adapter is a whole network. */
  static final Path NO_BASE = Path.of("-");

  /**
   * Loads a base model and an adapter that fits it.
   *
   * @param folder folder of the base model
   * @param adapter a path or a reference
   * @param source opens the adapter
   * @param options what to do if the adapter was made for another base model
   * @param output receives messages
   * @return both, to be closed by the caller
   */
  static LoadedAdapter open(
      Path folder, String adapter, AdapterSource source, BaseOptions options, Output output)
      throws IOException, InterruptedException, ImportRefusedException, MergeRefusedException {
    boolean isNetwork = folder.equals(NO_BASE);
    AdapterFile file = source.open(adapter, isNetwork ? null : folder, output).file();
    if (!isNetwork) {
      requireClassifier(folder, file);
    }
    BaseModel base =
        isNetwork
            ? BaseModel.fromScratch(network(file))
            : BaseModel.loadFor(folder, file.adapter());
    TextTokenizer tokenizer = null;
    try {
      Input.Kind reads = base.network().reads();
      tokenizer =
          reads == Input.Kind.TEXTS ? TextTokenizer.load(folder, Bos.of(file.adapter())) : null;
      ImageTransform images = reads == Input.Kind.IMAGES ? images(folder, file) : null;
      if (!isNetwork) {
        requireBase(folder, base, file, options, output);
      }
      AdaptedWeights weights =
          new AdaptedWeights(base, TrainedAdapter.ofFile(base, file), Kernels.chosen());
      return new LoadedAdapter(base, tokenizer, images, weights, labels(base, file));
    } catch (IOException | RuntimeException | InterruptedException | MergeRefusedException e) {
      base.close();
      if (tokenizer != null) {
        tokenizer.close();
      }
      throw e;
    }
  }

  /**
   * Requires that a base model has all tensors that an adapter changes and, as a merge does, that
   * it is the one that the adapter was made for.
   *
   * @param folder folder of the base model
   * @param base the base model
   * @param file the adapter
   * @param options what to do if the adapter was made for another base model
   * @param output receives warnings
   */
  static void requireBase(
      Path folder, BaseModel base, AdapterFile file, BaseOptions options, Output output)
      throws IOException, InterruptedException, MergeRefusedException {
    TrainedAdapter.requireMatch(base, file.adapter());
    try (Model model = Model.open(folder)) {
      int threads = Runtime.getRuntime().availableProcessors();
      new BaseComparison(model, TensorNames.of(model), threads)
          .check(List.of(file), options.check())
          .forEach(output::warn);
    }
  }

  /** Requires that a base model can have the classifier that an adapter was trained with. */
  private static void requireClassifier(Path folder, AdapterFile file) throws IOException {
    Pooling pooling = StatedHead.of(file.adapter()).pooling();
    if (pooling == null) {
      return;
    }
    List<Pooling> possible = BaseModel.poolings(folder);
    if (!possible.contains(pooling)) {
      throw new MismatchedAdapterException(
          "adapter does not match the base model: classifier of the pooling %s; the model may have %s"
              .formatted(pooling.label(), possible.stream().map(Pooling::label).toList()));
    }
  }

  /** Returns the network that an adapter states that it is, or that its tensors are. */
  private static Network network(AdapterFile file) throws MismatchedAdapterException {
    String stated = file.adapter().metadata().provenance().getOrDefault(ResNet.KEY, "");
    for (ResNet.Kind kind : ResNet.Kind.values()) {
      if (Label.of(kind).equals(stated)) {
        return new ResNet(kind);
      }
    }
    Map<String, List<Integer>> shapes = new HashMap<>();
    file.adapter().layers().forEach(layer -> shapes.put(layer.tensor(), layer.shape()));
    file.adapter().dense().forEach(tensor -> shapes.put(tensor.name(), tensor.shape()));
    return Mlp.ofShapes(shapes)
        .orElseThrow(
            () ->
                new MismatchedAdapterException(
                    "adapter states no network of its own: name the folder of its base model"
                        + " instead of -"));
  }

  /** Returns what the adapter states about images, or else what the base model's folder says. */
  private static ImageTransform images(Path folder, AdapterFile file) throws IOException {
    String stated = file.adapter().metadata().provenance().get(ImageTransform.KEY);
    return stated == null
        ? ImageConfig.transform(ImageSettings.NONE, folder)
        : ImageConfig.ofProvenance(stated);
  }

  /** Returns the names that the adapter states, or else numbers. */
  private static List<String> labels(BaseModel base, AdapterFile file)
      throws MismatchedAdapterException {
    Head head = base.network().head();
    if (head == null) {
      return StatedHead.of(file.adapter()).labels();
    }
    int classes = classes(base, head.module() + ".weight", file.adapter().dense());
    List<String> stated = StatedHead.of(file.adapter()).labels();
    if (stated.isEmpty()) {
      return IntStream.range(0, classes).mapToObj(Integer::toString).toList();
    }
    if (stated.size() != classes) {
      throw new MismatchedAdapterException(
          "adapter states %d labels; its classifier has %d classes"
              .formatted(stated.size(), classes));
    }
    return stated;
  }

  private static int classes(BaseModel base, String weight, List<DenseTensor> trained) {
    for (DenseTensor tensor : trained) {
      if (base.nameOf(tensor.name()).equals(weight)) {
        return tensor.shape().getFirst();
      }
    }
    Shape shape = base.shape(weight);
    return shape == null ? 0 : (int) shape.get(0);
  }

  TextTokenizer tokenizer() {
    return Objects.requireNonNull(texts, "a model of images or features has no tokenizer");
  }

  Network network() {
    return base.network();
  }

  boolean isClassifier() {
    return base.network().head() != null || base.network().reads() != Input.Kind.TEXTS;
  }

  @Override
  public void close() {
    if (texts != null) {
      texts.close();
    }
    base.close();
  }
}

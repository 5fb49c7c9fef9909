package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.nola.client.peft.HeadClass;
import dev.nola.client.peft.Pooling;
import dev.nola.client.peft.StatedHead;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Tensor;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.DType;
import dev.nola.format.Slice;
import dev.nola.reconstruct.BaseIdentity;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A pre-trained model from a Hugging Face folder ({@code config.json} and safetensors), in f32, or
 * its matrices in 8 bits. Frozen: nothing changes its tensors.
 */
public final class BaseModel implements AutoCloseable {
  /** Bytes that are read at a time; a buffer of Java has at most 2 GiB. */
  private static final long READ = 1L << 30;

  /** A repository's name, with its owner. */
  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*/[A-Za-z0-9_][A-Za-z0-9._-]*");

  private final NDManager manager;
  private final Network network;
  private final BaseType type;
  private final Map<String, NDArray> tensors = new HashMap<>();
  private final Map<String, QuantizedMatrix> matrices = new HashMap<>();
  private final Map<String, BaseIdentity.Tensor> identities = new HashMap<>();

  private BaseModel(NDManager manager, Network network, BaseType type) {
    this.manager = manager;
    this.network = network;
    this.type = type;
  }

  /**
   * Loads a model as the class of Transformers that it was saved as: a language model, or an
   * encoder with a classifier.
   *
   * @param folder folder with {@code config.json} and safetensors
   * @return the model, to be closed by the caller
   * @throws UnsupportedModelException if it is not a model that can be run here
   * @throws IOException if a file cannot be read
   */
  public static BaseModel load(Path folder) throws IOException {
    return load(folder, BaseType.F32);
  }

  /**
   * Loads a model as {@link #load(Path)} does.
   *
   * @param folder folder with {@code config.json} and safetensors
   * @param type how its matrices are kept
   * @return the model, to be closed by the caller
   * @throws UnsupportedModelException if it is not a model that can be run here
   * @throws IOException if a file cannot be read
   */
  public static BaseModel load(Path folder, BaseType type) throws IOException {
    ModelConfig config = config(folder);
    boolean isClassifier = HeadClass.ofName(config.className()).isPresent();
    return load(folder, ModelTypes.network(config, isClassifier, null), type);
  }

  /**
   * Loads a model with a classifier, whose tensors it may lack.
   *
   * @param folder folder with {@code config.json} and safetensors
   * @param pooling what the classifier sees of a text; null for what it sees in the class of
   *     Transformers
   * @param type how its matrices are kept
   * @return the model, to be closed by the caller
   * @throws UnsupportedModelException if it is not a model that can be run here
   * @throws IOException if a file cannot be read
   */
  public static BaseModel loadClassifier(Path folder, @Nullable Pooling pooling, BaseType type)
      throws IOException {
    return load(folder, ModelTypes.network(config(folder), true, pooling), type);
  }

  /**
   * Loads a model with the head that an adapter was trained with.
   *
   * @param folder folder with {@code config.json} and safetensors
   * @param adapter the adapter
   * @return the model, to be closed by the caller
   * @throws UnsupportedModelException if it is not a model that can be run here
   * @throws IOException if a file cannot be read
   */
  public static BaseModel loadFor(Path folder, Adapter adapter) throws IOException {
    Pooling pooling = StatedHead.of(adapter).pooling();
    return pooling == null ? load(folder) : loadClassifier(folder, pooling, BaseType.F32);
  }

  /**
   * Returns what a classifier of a model may see.
   *
   * @param folder folder with {@code config.json}
   * @return the usual one first; empty if the model can have no classifier
   * @throws UnsupportedModelException if it is not a model that can be run here
   * @throws IOException if the config cannot be read
   */
  public static List<Pooling> poolings(Path folder) throws IOException {
    return ModelTypes.poolings(config(folder));
  }

  /**
   * Returns the name that a model's config states.
   *
   * @param folder folder with {@code config.json}
   * @return such as {@code acme/llama}; empty if it states none, or a path
   * @throws IOException if the config cannot be read
   */
  public static String statedName(Path folder) throws IOException {
    String name = ModelConfig.read(folder).text("_name_or_path");
    return NAME.matcher(name).matches() ? name : "";
  }

  /**
   * A tensor, or a part of one, that a method may adapt.
   *
   * @param name what patterns of targets are matched with
   * @param shape size of each dimension
   */
  public record TargetShape(String name, List<Long> shape) {}

  /**
   * Lists the tensors of a model that can be adapted, from the headers of its files.
   *
   * @param folder folder with {@code config.json} and safetensors
   * @return the tensors, in the order of the forward pass
   * @throws UnsupportedModelException if it is not a model that can be run here
   * @throws IOException if a file cannot be read
   */
  public static List<TargetShape> targets(Path folder) throws IOException {
    Network network = ModelTypes.network(config(folder), false, null);
    try (Model model = Model.open(folder)) {
      Map<String, Tensor> tensors = new HashMap<>();
      model.tensors().values().forEach(each -> tensors.put(network.nameOf(each.name()), each));
      List<TargetShape> targets = new ArrayList<>();
      for (Adaptable adaptable : network.adaptable()) {
        Tensor tensor = tensors.get(adaptable.tensor());
        if (tensor != null) {
          List<Long> shape = new ArrayList<>(tensor.shape());
          Slice slice = adaptable.slice();
          if (slice != null) {
            shape.set(slice.dim(), (long) slice.length());
          }
          targets.add(new TargetShape(adaptable.name(), List.copyOf(shape)));
        }
      }
      return targets;
    }
  }

  /**
   * Reads a model's config; of a quantized model, or one in another format, the refusal of its
   * weights names the remedy.
   */
  private static ModelConfig config(Path folder) throws IOException {
    if (!Files.exists(folder.resolve(ModelConfig.NAME))) {
      Model.open(folder).close();
    }
    ModelConfig config = ModelConfig.read(folder);
    if (config.states(ConfigKey.QUANTIZATION.path())) {
      Model.open(folder).close();
    }
    return config;
  }

  private static BaseModel load(Path folder, Network network, BaseType type) throws IOException {
    NDManager manager = Tensors.newManager();
    try (Model model = Model.open(folder)) {
      BaseModel base = new BaseModel(manager, network, type);
      for (Tensor tensor : model.tensors().values()) {
        base.add(model, tensor);
      }
      network.requireComplete(Set.copyOf(base.names()));
      return base;
    } catch (IOException | RuntimeException e) {
      manager.close();
      throw e;
    }
  }

  /**
   * Returns a model without weights, to be trained from scratch.
   *
   * @param network shape of the model
   * @return the model, to be closed by the caller
   */
  public static BaseModel fromScratch(Network network) {
    return new BaseModel(Tensors.newManager(), network, BaseType.F32);
  }

  private void add(Model model, Tensor stored) throws IOException {
    DType elements = stored.adaptableType().orElse(null);
    if (elements == null) {
      return; // such as position ids, which the forward pass computes
    }
    String name = network.nameOf(stored.name());
    if (!network.uses(name)) {
      return;
    }
    try (Arena arena = Arena.ofShared()) {
      // Read instead of mapped: a process counts the pages of a mapped file as its memory.
      MemorySegment data = arena.allocate(stored.data().byteSize(), Long.BYTES);
      for (long start = 0; start < data.byteSize(); start += READ) {
        long length = Math.min(READ, data.byteSize() - start);
        model.read(stored.name(), start, data.asSlice(start, length));
      }
      Tensor tensor = new Tensor(stored.name(), stored.type(), stored.shape(), data);
      if (type == BaseType.INT8 && tensor.shape().size() == 2 && !isOfHead(name)) {
        matrices.put(name, QuantizedMatrix.of(manager, elements, tensor));
      } else {
        tensors.put(name, Tensors.load(manager, tensor));
      }
      List<Integer> shape = tensor.shape().stream().map(Math::toIntExact).toList();
      identities.put(name, BaseIdentity.Tensor.of(tensor.name(), elements, shape, data));
    }
  }

  /** Returns whether a tensor belongs to the classifier, which is trained. */
  private boolean isOfHead(String name) {
    Head head = network.head();
    return head != null && head.has(name);
  }

  /**
   * Returns the forward pass.
   *
   * @return the model without its weights
   */
  public Network network() {
    return network;
  }

  /**
   * Returns a tensor that is kept in f32.
   *
   * @param name name of the tensor
   * @return the tensor, or null if absent or kept in 8 bits
   */
  public @Nullable NDArray tensor(String name) {
    return tensors.get(name);
  }

  /**
   * Returns a tensor in f32, however it is kept.
   *
   * @param name name of the tensor
   * @param scope owns the array if that is a copy made for this call
   * @return the tensor, or null if absent
   */
  public @Nullable NDArray tensor(String name, NDManager scope) {
    QuantizedMatrix matrix = matrices.get(name);
    return matrix == null ? tensors.get(name) : matrix.dequantized(scope);
  }

  /**
   * Returns rows of a matrix in f32, however it is kept.
   *
   * @param ids numbers of the rows (i64)
   * @param name name of the matrix
   * @return a row for each number, or null if the matrix is absent
   */
  public @Nullable NDArray rows(NDArray ids, String name) {
    QuantizedMatrix matrix = matrices.get(name);
    NDArray tensor = tensors.get(name);
    return matrix != null
        ? matrix.rows(ids)
        : tensor == null ? null : Tensors.embedding(ids, tensor);
  }

  /**
   * Returns the shape of a tensor.
   *
   * @param name name of the tensor
   * @return its shape, or null if absent
   */
  public @Nullable Shape shape(String name) {
    QuantizedMatrix matrix = matrices.get(name);
    NDArray tensor = tensors.get(name);
    return matrix != null ? matrix.shape() : tensor == null ? null : tensor.getShape();
  }

  /**
   * Makes an array that lives as long as the model.
   *
   * @param values elements, row-major
   * @param shape size of each dimension
   * @return the array
   */
  public NDArray keep(float[] values, long... shape) {
    return Tensors.create(manager, values, shape);
  }

  /**
   * Names all tensors.
   *
   * @return names in alphabetical order
   */
  public List<String> names() {
    return Stream.of(tensors, matrices).flatMap(kept -> kept.keySet().stream()).sorted().toList();
  }

  /**
   * Returns the name in this class of a tensor that adapters name as in the files of this model, or
   * of the same model with or without a head.
   *
   * @param stored name in a model's files
   * @return name here
   */
  public String nameOf(String stored) {
    String name = network.nameOf(stored);
    return shape(name) == null ? stored : name;
  }

  /**
   * Returns the name of a tensor in the model's files, which adapters use.
   *
   * @param name name here
   * @return name in the model's files
   */
  public String storedName(String name) {
    BaseIdentity.Tensor stored = identities.get(name);
    return stored == null ? name : stored.name();
  }

  /**
   * Returns the identity of the base for an adapter of some tensors (SPEC.md, section 9).
   *
   * @param adapted names of the tensors
   * @return digest of the tensors, or null if there are none
   */
  public @Nullable Sha256 identity(List<String> adapted) {
    List<BaseIdentity.Tensor> stored = new ArrayList<>();
    for (String name : adapted) {
      BaseIdentity.Tensor tensor = identities.get(name);
      if (tensor == null) {
        return null;
      }
      stored.add(tensor);
    }
    return stored.isEmpty() ? null : BaseIdentity.of(stored);
  }

  @Override
  public void close() {
    manager.close();
  }
}

package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.format.Adapter;
import dev.nola.generator.Basis;
import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.CudaException;
import dev.nola.gpu.TrainingFactors;
import dev.nola.kernel.Kernel;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Tensors;
import dev.nola.trainer.model.Weights;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a model in training: those of the base, some of them adapted. Only one step at a
 * time can be in progress.
 */
public final class AdaptedWeights implements Weights, AutoCloseable {
  private final BaseModel base;
  private final List<Adaptation> adaptations;

  /** The trained parts of each tensor; several if each adapts a slice of it. */
  private final Map<String, List<Adaptation>> byTensor = new HashMap<>();

  private final Kernel kernel;
  private boolean usesTrained;
  private boolean isTraining;
  private @Nullable TrainingFactors gpu;
  private @Nullable CudaDevice device;
  private @Nullable CudaDevice ownDevice;

  /**
   * Combines a base with adaptations.
   *
   * @param base the base model
   * @param adaptations the trained part of each tensor that has one
   * @param kernel kernel that computes factors, and the coefficients' gradients from theirs
   */
  public AdaptedWeights(BaseModel base, Collection<Adaptation> adaptations, Kernel kernel) {
    this.base = base;
    this.kernel = kernel;
    this.adaptations = List.copyOf(adaptations);
    for (Adaptation adaptation : adaptations) {
      byTensor.computeIfAbsent(adaptation.tensor(), _ -> new ArrayList<>()).add(adaptation);
    }
  }

  /**
   * Lets the GPU that arrays are on compute the factors, and the coefficients' gradients, with the
   * same bits. Without a GPU, the kernel computes them.
   *
   * @param warning receives why the kernel computes them although there is a GPU
   */
  public void useGpu(Consumer<String> warning) {
    if (!Tensors.isOnGpu()) {
      return;
    }
    try {
      ownDevice = CudaDevice.open();
      use(ownDevice);
    } catch (CudaException e) {
      warning.accept("factors are computed on the CPU: " + e.getMessage());
    }
  }

  /**
   * Lets a GPU compute the factors.
   *
   * @throws CudaException if its memory does not suffice
   */
  void use(CudaDevice device) {
    this.device = device;
    List<Adaptation> targets = new ArrayList<>();
    Adapter.Builder adapter = Adapter.builder();
    for (Adaptation adaptation : adaptations) {
      Adaptation.GpuLayer layer = adaptation.gpuLayer();
      if (layer != null) {
        targets.add(adaptation);
        Basis basis = layer.basis();
        adapter.generator(basis.generator()).seed(basis.seed()).layer(layer.layer());
      }
    }
    if (!targets.isEmpty()) {
      gpu = TrainingFactors.open(device, adapter.build());
      for (int i = 0; i < targets.size(); i++) {
        targets.get(i).computeBy(gpu, i);
      }
    }
  }

  /**
   * Changes the width of the codes that the coefficients are rounded to from the next {@link
   * #prepare} on.
   *
   * @param bits width of a code
   * @throws CudaException if the GPU's memory does not suffice
   */
  public void roundTo(int bits) {
    boolean changes = false;
    for (Adaptation adaptation : adaptations) {
      changes |= adaptation.roundTo(bits);
    }
    if (changes && gpu != null && device != null) {
      gpu.close(); // its room is for codes of one width
      gpu = null;
      use(device);
    }
  }

  /**
   * Returns all that is trained.
   *
   * @return the parameters of all adaptations, in a fixed order
   */
  public List<Parameter> parameters() {
    return adaptations.stream().flatMap(adaptation -> adaptation.parameters().stream()).toList();
  }

  /**
   * Returns what forward passes change, which the optimizer does not.
   *
   * @return the statistics of all adaptations, in a fixed order
   */
  public List<Parameter> statistics() {
    return adaptations.stream().flatMap(adaptation -> adaptation.statistics().stream()).toList();
  }

  /**
   * Returns the trained part of each tensor that has one.
   *
   * @return the list that this was created with
   */
  public List<Adaptation> adaptations() {
    return adaptations;
  }

  /** Computes values from the parameters; needed once after each change of them. */
  public void prepare() {
    adaptations.parallelStream().forEach(adaptation -> adaptation.prepare(kernel));
    if (gpu != null) {
      gpu.reconstruct();
    }
  }

  /**
   * Chooses which inputs are dropped until the next call, in passes that record gradients.
   *
   * @param step number of the step
   * @param part number of the part of its batch
   */
  public void dropAt(long step, int part) {
    adaptations.forEach(adaptation -> adaptation.dropAt(step, part));
  }

  /**
   * Makes the arrays of a step.
   *
   * @param step manager that owns them
   * @param record whether {@link #collect} will be called
   */
  public void begin(NDManager step, boolean record) {
    isTraining = record;
    adaptations.forEach(adaptation -> adaptation.begin(step, record));
    usesTrained = false;
  }

  /**
   * Returns whether the step has used a trained tensor so far. Before that, what it computes has no
   * gradients.
   *
   * @return false right after {@link #begin}
   */
  public boolean usesTrained() {
    return usesTrained;
  }

  /** Returns the trained parts of a tensor that is about to be used. */
  private List<Adaptation> use(String tensor) {
    List<Adaptation> parts = byTensor.getOrDefault(tensor, List.of());
    usesTrained |= !parts.isEmpty();
    return parts;
  }

  /** Adds what a backward pass has computed to the parameters' gradients. */
  public void collect() {
    adaptations.forEach(Adaptation::collect);
    if (gpu != null) {
      gpu.project();
    }
    adaptations.parallelStream().forEach(adaptation -> adaptation.backward(kernel));
  }

  /** Frees the GPU's memory. */
  @Override
  public void close() {
    if (gpu != null) {
      gpu.close();
      gpu = null;
    }
    if (ownDevice != null) {
      ownDevice.close();
      ownDevice = null;
    }
  }

  @Override
  public boolean has(String name) {
    return byTensor.containsKey(name) || base.shape(name) != null;
  }

  @Override
  public NDArray tensor(String name) {
    return adapted(name, base.tensor(name));
  }

  /** Returns the trained tensor that a base's becomes. */
  private NDArray adapted(String name, @Nullable NDArray tensor) {
    NDArray adapted = tensor;
    for (Adaptation adaptation : use(name)) {
      adapted = adaptation.tensor(adapted);
    }
    if (adapted == null) {
      throw new IllegalArgumentException("the base model has no tensor " + name);
    }
    return adapted;
  }

  @Override
  public NDArray embedding(NDArray ids, String name) {
    NDArray rows = use(name).isEmpty() ? base.rows(ids, name) : null;
    return rows == null ? Tensors.embedding(ids, tensor(name)) : rows;
  }

  @Override
  public NDArray conv1d(NDArray x, String module) {
    String weight = module + ".weight";
    NDArray bias = tensor(module + ".bias");
    List<Adaptation> parts = use(weight);
    NDArray stored = base.tensor(weight, x.getManager());
    if (stored == null || !parts.stream().allMatch(Adaptation::isProduct)) {
      if (stored != null && parts.stream().anyMatch(Adaptation::drops)) {
        throw new IllegalArgumentException(
            "unsupported method.dropout for tensor %s: its ΔW is viewed as another matrix; use method.view=layer"
                .formatted(weight));
      }
      return x.matMul(adapted(weight, stored)).add(bias);
    }
    NDArray product = x.matMul(stored).add(bias);
    for (Adaptation part : parts) {
      product = part.addProduct(x, product);
    }
    return product;
  }

  @Override
  public NDArray batchNorm(NDArray x, String module) {
    return Tensors.batchNorm(
        x,
        new Tensors.Statistics(tensor(module + ".running_mean"), tensor(module + ".running_var")),
        tensor(module + ".weight"),
        tensor(module + ".bias"),
        isTraining);
  }

  @Override
  public NDArray linear(NDArray x, String module) {
    String weight = module + ".weight";
    NDArray bias = has(module + ".bias") ? tensor(module + ".bias") : null;
    List<Adaptation> parts = use(weight);
    NDArray stored = base.tensor(weight, x.getManager());
    if (parts.size() > 1 && stored != null && parts.stream().anyMatch(Adaptation::drops)) {
      NDArray product = Tensors.linear(x, stored, bias);
      for (Adaptation part : parts) {
        product = product.add(part.change(x));
      }
      return product;
    }
    return parts.size() == 1
        ? parts.getFirst().linear(x, stored, bias)
        : Tensors.linear(x, adapted(weight, stored), bias);
  }
}

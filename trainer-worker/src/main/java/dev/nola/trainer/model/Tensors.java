package dev.nola.trainer.model;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DType;
import dev.nola.trainer.djl.NativeLibraries;
import dev.nola.trainer.djl.NativeLibraries.GpuAccess;
import dev.nola.trainer.djl.TorchMemory;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The few things of PyTorch that DJL has no general name for. */
public final class Tensors {
  /** Like PyTorch's own settings, for the whole process. */
  private static volatile Device device = Device.cpu();

  private static volatile @Nullable String gpuObstacle;

  /** Loaded when first used, after PyTorch. */
  private static final class Functions {
    static final TorchFunction SILU = new TorchFunction("torch.silu(x)");
    static final TorchFunction RSQRT = new TorchFunction("torch.rsqrt(x)");
  }

  private Tensors() {}

  private static Engine engine() {
    return NativeLibraries.torch();
  }

  /**
   * Sets the device of arrays made from now on, and the number of threads of an operation.
   *
   * @param deviceName {@code CPU}, {@code CUDA}, or {@code AUTO} for a GPU if the machine has one
   * @param threads number of threads, or 0 for PyTorch's default
   * @throws UnavailableDeviceException if PyTorch finds no GPU, and the name is {@code CUDA}, or it
   *     is {@code AUTO} and the machine has one
   */
  public static void use(String deviceName, int threads) {
    if (deviceName.equals("CPU")) {
      use(false, threads);
      return;
    }
    GpuAccess gpu = NativeLibraries.gpu();
    if (!gpu.isUsable() && (gpu.seen() > 0 || deviceName.equals("CUDA"))) {
      throw new UnavailableDeviceException(
          "run.device=%s, but PyTorch cannot use a GPU: %s; or set run.device to cpu"
              .formatted(deviceName.toLowerCase(Locale.ROOT), gpu.obstacle()));
    }
    use(gpu.isUsable(), threads);
  }

  /**
   * Sets the device of arrays made from now on to a GPU if PyTorch can use one, and the number of
   * threads of an operation.
   *
   * @param threads number of threads, or 0 for PyTorch's default
   * @param log receives why arrays are on the CPU although the machine has a GPU
   */
  public static void useFastest(int threads, Consumer<String> log) {
    GpuAccess gpu = NativeLibraries.gpu();
    gpuObstacle = gpu.seen() > 0 ? gpu.obstacle() : null;
    if (gpuObstacle != null) {
      log.accept("device cpu: " + gpuObstacle);
    }
    use(gpu.isUsable(), threads);
  }

  /**
   * Returns why {@link #useFastest} has not chosen the machine's GPU.
   *
   * @return a clause; null if it has, or the machine has none
   */
  public static @Nullable String gpuObstacle() {
    return gpuObstacle;
  }

  private static void use(boolean gpu, int threads) {
    engine(); // loads the library that has the function below
    device = gpu ? Device.gpu() : Device.cpu();
    if (threads > 0) {
      JniUtils.setNumThreads(threads);
    }
  }

  /** Returns the device in use. */
  static Device device() {
    return device;
  }

  /**
   * Makes a manager of arrays on the device in use.
   *
   * @return a manager, to be closed by the caller
   */
  public static NDManager newManager() {
    return engine().newBaseManager(device);
  }

  /**
   * Makes an array. Its elements are copied into PyTorch's own memory, because DJL would leave them
   * in Java's, whose alignment differs from run to run, and with it the order in which a matrix
   * product adds, and so the last bit of its sums. Java's memory is also freed by a garbage
   * collection and not when the array is closed: too late, so that gigabytes wait for it, and too
   * early if the backward pass still needs it.
   *
   * @param manager manager that owns the array
   * @param values elements, row-major
   * @param shape size of each dimension
   * @return an array in f32
   */
  public static NDArray create(NDManager manager, float[] values, long... shape) {
    return copied(manager, MemorySegment.ofArray(values), new Shape(shape), DataType.FLOAT32);
  }

  private static NDArray copied(
      NDManager manager, MemorySegment elements, Shape shape, DataType type) {
    if (!isOnGpu()) {
      return filled(manager.create(shape, type), elements);
    }
    try (NDManager host = newHostManager()) {
      return moved(filled(host.create(shape, type), elements), manager);
    }
  }

  private static NDArray filled(NDArray array, MemorySegment elements) {
    MemorySegment memory = TorchMemory.of(array);
    if (memory.byteSize() != elements.byteSize()) {
      throw new IllegalArgumentException(
          "array of shape %s has %d bytes; must have %d"
              .formatted(array.getShape(), elements.byteSize(), memory.byteSize()));
    }
    memory.copyFrom(elements);
    return array;
  }

  /**
   * Makes an array whose elements are to be written yet.
   *
   * @param manager manager that owns the array
   * @param shape size of each dimension
   * @return an array in f32, row-major
   */
  public static NDArray uninitialized(NDManager manager, long... shape) {
    return uninitialized(manager, DataType.FLOAT32, shape);
  }

  /** Makes an array of any type whose elements are to be written yet. */
  static NDArray uninitialized(NDManager manager, DataType type, long... shape) {
    return manager.create(new Shape(shape), type);
  }

  /**
   * Makes an array of whole numbers.
   *
   * @param manager manager that owns the array
   * @param values elements, row-major
   * @param shape size of each dimension
   * @return an array in i64
   */
  public static NDArray create(NDManager manager, long[] values, long... shape) {
    return copied(manager, MemorySegment.ofArray(values), new Shape(shape), DataType.INT64);
  }

  /**
   * Makes an array of a number. DJL's methods that take a {@link Number} must not be used where
   * gradients are computed: they make an array of it, close that array, and leave its memory to the
   * garbage collection.
   *
   * @param manager manager that owns the array
   * @param value the number
   * @return an array of one element, in f32
   */
  public static NDArray scalar(NDManager manager, double value) {
    return create(manager, new float[] {(float) value});
  }

  /**
   * Returns names and versions of the libraries that compute.
   *
   * @return such as {@code DJL 0.36.0, PyTorch 2.7.1}
   */
  public static String version() {
    return "DJL " + Engine.getDjlVersion() + ", PyTorch " + NativeLibraries.torchVersion();
  }

  /**
   * Returns whether arrays are made on a GPU.
   *
   * @return false if they are made in the host's memory
   */
  public static boolean isOnGpu() {
    return device.isGpu();
  }

  /**
   * Returns the kind of device in use.
   *
   * @return {@code cpu} or {@code gpu}
   */
  public static String deviceName() {
    return device.getDeviceType();
  }

  /**
   * Sets whether this thread's operations are recorded for gradients from now on.
   *
   * @param record whether they are
   */
  public static void recordGradients(boolean record) {
    JniUtils.setGradMode(record);
  }

  /**
   * Computes the gradients of a scalar with respect to all leaves.
   *
   * @param loss an array of one element
   */
  public static void backward(NDArray loss) {
    try (NDArray one = loss.onesLike()) {
      Autograd.backward(loss, one);
    }
  }

  /**
   * Computes x·Wᵀ + b over the last dimension of x.
   *
   * @param x input, …×in
   * @param weight W, out×in
   * @param bias b, out, or null for none
   * @return …×out
   */
  public static NDArray linear(NDArray x, NDArray weight, @Nullable NDArray bias) {
    return JniUtils.linear((PtNDArray) x, (PtNDArray) weight, (PtNDArray) bias);
  }

  /**
   * Returns rows of a table.
   *
   * @param ids numbers of the rows, any shape (i64)
   * @param table rows×columns
   * @return ids' shape×columns
   */
  public static NDArray embedding(NDArray ids, NDArray table) {
    return JniUtils.embedding((PtNDArray) ids, (PtNDArray) table, false);
  }

  /** Normalizes over the last dimension. */
  static NDArray layerNorm(NDArray x, NDArray weight, NDArray bias, double epsilon) {
    return JniUtils.layerNorm(
        (PtNDArray) x, weight.getShape(), (PtNDArray) weight, (PtNDArray) bias, epsilon);
  }

  /**
   * Mean and variance of each channel over the batches so far.
   *
   * @param mean the means
   * @param variance the variances
   */
  public record Statistics(NDArray mean, NDArray variance) {}

  /**
   * Normalizes each channel, as PyTorch's {@code BatchNorm2d} with its default ε and momentum.
   *
   * @param x B×channels×height×width
   * @param statistics of the batches so far; training adds a tenth of the batch's own
   * @param weight factor of each channel
   * @param bias summand of each channel
   * @param training whether to normalize by the batch, and not by the batches so far
   * @return as x
   */
  public static NDArray batchNorm(
      NDArray x, Statistics statistics, NDArray weight, NDArray bias, boolean training) {
    return JniUtils.batchNorm(
        (PtNDArray) x,
        (PtNDArray) statistics.mean,
        (PtNDArray) statistics.variance,
        (PtNDArray) weight,
        (PtNDArray) bias,
        training,
        0.1,
        1e-5);
  }

  /** Computes a convolution without a bias. */
  static NDArray convolution(NDArray x, NDArray filter, int stride, int padding) {
    return JniUtils.convolution(
        (PtNDArray) x,
        (PtNDArray) filter,
        null,
        new Shape(stride, stride),
        new Shape(padding, padding),
        new Shape(1, 1),
        1);
  }

  /** Takes the maxima of windows. */
  static NDArray maxPool(NDArray x, int side, int stride, int padding) {
    return JniUtils.maxPool(
        (PtNDArray) x,
        new Shape(side, side),
        new Shape(stride, stride),
        new Shape(padding, padding),
        false);
  }

  /** Computes max(x, 0). */
  static NDArray relu(NDArray x) {
    return JniUtils.relu((PtNDArray) x);
  }

  /** Computes x·σ(x), without keeping σ(x) for the backward pass. */
  static NDArray silu(NDArray x) {
    return Functions.SILU.apply(x);
  }

  /** Computes 1/√x. */
  static NDArray rsqrt(NDArray x) {
    return Functions.RSQRT.apply(x);
  }

  /** Computes x·Φ(x), by the error function. */
  static NDArray gelu(NDArray x) {
    return JniUtils.gelu((PtNDArray) x);
  }

  /** Computes x·Φ(x), approximated by ½x·(1 + tanh(√(2/π)·(x + 0.044715x³))). */
  static NDArray geluTanh(NDArray x) {
    NDArray cube = x.mul(x).mul(x).mul(Constants.number(0.044715));
    NDArray turned = x.add(cube).mul(Constants.number(Math.sqrt(2 / Math.PI))).tanh();
    return turned.add(Constants.number(1)).mul(x).mul(Constants.number(0.5));
  }

  /**
   * Loads a tensor in f32; f16 and bf16 are widened here, because half-precision arrays are slow on
   * CPUs, and bf16 ones crash the process.
   *
   * @throws IllegalArgumentException if it is of another type
   */
  static NDArray load(NDManager manager, Tensor tensor) {
    DType type =
        tensor
            .adaptableType()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "tensor %s has type %s; must be F32, F16 or BF16"
                            .formatted(tensor.name(), tensor.type())));
    Shape shape = new Shape(tensor.shape().stream().mapToLong(Long::longValue).toArray());
    try (NDManager host = newHostManager()) {
      NDArray values = host.create(shape, DataType.FLOAT32);
      FloatElements.widen(type, tensor.data(), TorchMemory.of(values));
      return moved(values, manager);
    }
  }

  /** Makes a manager of arrays in the host's memory, to be closed by the caller. */
  static NDManager newHostManager() {
    return engine().newBaseManager(Device.cpu());
  }

  /** Hands an array over to a manager, on the device in use. */
  static NDArray moved(NDArray array, NDManager manager) {
    NDArray moved = isOnGpu() ? array.toDevice(device, true) : array;
    moved.attach(manager);
    return moved;
  }
}

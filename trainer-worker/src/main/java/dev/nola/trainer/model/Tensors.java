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
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import org.jspecify.annotations.Nullable;

/** The few things of PyTorch that DJL has no general name for. */
public final class Tensors {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Like PyTorch's own settings, for the whole process. */
  private static volatile Device device = Device.cpu();

  private Tensors() {}

  private static Engine engine() {
    return Engine.getEngine("PyTorch");
  }

  /**
   * Says where arrays are from now on, and how many threads divide an operation on them.
   *
   * @param where {@code CPU}, {@code CUDA}, or {@code AUTO} for a GPU if there is one
   * @param threads 0 for as many as PyTorch chooses
   * @throws IllegalArgumentException if there is no GPU and there must be one
   */
  public static void use(String where, int threads) {
    boolean gpu = engine().getGpuCount() > 0;
    if (where.equals("CUDA") && !gpu) {
      throw new IllegalArgumentException("device=cuda, but PyTorch finds no GPU");
    }
    device = gpu && !where.equals("CPU") ? Device.gpu() : Device.cpu();
    if (threads > 0) {
      JniUtils.setNumThreads(threads);
    }
  }

  /** A manager of arrays on the device in use; the caller closes it. */
  public static NDManager newManager() {
    return engine().newBaseManager(device);
  }

  /**
   * An array with these elements. They are copied into PyTorch's own memory, because DJL would
   * leave them in Java's. Its alignment differs from run to run, and with it the order in which a
   * matrix product adds, and so the last bit of its sums. And it is freed by a garbage collection
   * after the array was closed, even while the backward pass still needs what is in it.
   */
  public static NDArray create(NDManager manager, float[] values, long... shape) {
    try (NDArray inJavasMemory =
        manager.create(FloatBuffer.wrap(values), new Shape(shape), DataType.FLOAT32)) {
      return inJavasMemory.duplicate();
    }
  }

  /** The same of whole numbers. */
  public static NDArray create(NDManager manager, long[] values, long... shape) {
    try (NDArray inJavasMemory =
        manager.create(LongBuffer.wrap(values), new Shape(shape), DataType.INT64)) {
      return inJavasMemory.duplicate();
    }
  }

  /**
   * A number to compute with an array. DJL's methods that take a {@link Number} must not be used
   * where gradients are: they make an array of it, close that array, and leave its memory to the
   * garbage collection.
   */
  public static NDArray scalar(NDManager manager, double value) {
    return create(manager, new float[] {(float) value});
  }

  /** Names and versions of what computes. */
  public static String version() {
    return "DJL " + Engine.getDjlVersion() + ", PyTorch " + engine().getVersion();
  }

  /** {@code cpu} or {@code gpu}. */
  public static String deviceName() {
    return device.getDeviceType();
  }

  /** Whether operations of this thread are recorded for gradients from now on. */
  public static void recordGradients(boolean record) {
    JniUtils.setGradMode(record);
  }

  /** Computes the gradients of a scalar with respect to all leaves. */
  public static void backward(NDArray loss) {
    PtNDArray scalar = (PtNDArray) loss;
    try (NDArray one = loss.onesLike()) {
      JniUtils.backward(scalar, (PtNDArray) one, false, false);
    }
  }

  /** x·Wᵀ + b over the last dimension of x; W is out×in. */
  public static NDArray linear(NDArray x, NDArray weight, @Nullable NDArray bias) {
    return JniUtils.linear((PtNDArray) x, (PtNDArray) weight, (PtNDArray) bias);
  }

  /** Rows of a table. */
  static NDArray embedding(NDArray ids, NDArray table) {
    return JniUtils.embedding((PtNDArray) ids, (PtNDArray) table, false);
  }

  /** Of the last dimension. */
  static NDArray layerNorm(NDArray x, NDArray weight, NDArray bias, double epsilon) {
    return JniUtils.layerNorm(
        (PtNDArray) x, weight.getShape(), (PtNDArray) weight, (PtNDArray) bias, epsilon);
  }

  /** max(x, 0). */
  static NDArray relu(NDArray x) {
    return JniUtils.relu((PtNDArray) x);
  }

  /** x·σ(x). */
  static NDArray silu(NDArray x) {
    return JniUtils.sigmoid((PtNDArray) x).mul(x);
  }

  /** x·Φ(x), by the error function. */
  static NDArray gelu(NDArray x) {
    return JniUtils.gelu((PtNDArray) x);
  }

  /**
   * A tensor in f32; f16 and bf16 are widened here, because half-precision arrays are slow on CPUs,
   * and bf16 ones end the process.
   *
   * @throws IllegalArgumentException if it is of another type or has more than 2³¹−1 elements
   */
  static NDArray load(NDManager manager, Tensor tensor) {
    DType type =
        tensor
            .adaptableType()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "tensor %s has type %s, must be F32, F16 or BF16"
                            .formatted(tensor.name(), tensor.type())));
    long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
    return create(manager, widened(type, tensor.data()), shape);
  }

  /** Elements of any type as f32, exactly. */
  public static float[] widened(DType type, MemorySegment data) {
    float[] values = new float[Math.toIntExact(data.byteSize() / type.bytes())];
    switch (type) {
      case F32 -> MemorySegment.copy(data, FLOAT, 0, values, 0, values.length);
      case F16 -> {
        for (int i = 0; i < values.length; i++) {
          values[i] = Float.float16ToFloat(data.get(SHORT, 2L * i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < values.length; i++) {
          values[i] = Float.intBitsToFloat(data.get(SHORT, 2L * i) << 16);
        }
      }
    }
    return values;
  }

  /** Elements rounded to nearest even, little-endian. */
  public static MemorySegment narrowed(DType type, float[] values) {
    MemorySegment data = MemorySegment.ofArray(new byte[values.length * type.bytes()]);
    for (int i = 0; i < values.length; i++) {
      switch (type) {
        case F32 -> data.set(FLOAT, 4L * i, values[i]);
        case F16 -> data.set(SHORT, 2L * i, Float.floatToFloat16(values[i]));
        case BF16 -> {
          int bits = Float.floatToRawIntBits(values[i]);
          data.set(SHORT, 2L * i, (short) ((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16));
        }
      }
    }
    return data;
  }
}

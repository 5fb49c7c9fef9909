package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.kernel.Kernel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A mean or variance over the batches so far, which the forward pass of a step changes. */
final class RunningTensor extends Adaptation {
  private final WholeTensor whole;
  private final Parameter values;
  private @Nullable NDArray array;

  RunningTensor(String tensor, long[] shape, Parameter values) {
    super(tensor);
    this.whole = new WholeTensor(tensor, shape, values);
    this.values = values;
  }

  @Override
  public List<Parameter> parameters() {
    return List.of();
  }

  @Override
  public List<Parameter> statistics() {
    return List.of(values);
  }

  @Override
  void begin(NDManager step, boolean record) {
    whole.begin(step, false);
    array = whole.tensor(null);
  }

  @Override
  NDArray tensor(@Nullable NDArray base) {
    return array;
  }

  @Override
  NDArray linear(NDArray x, @Nullable NDArray base, @Nullable NDArray bias) {
    throw new IllegalStateException("not a matrix: " + tensor());
  }

  /** Keeps what the forward pass has made of the array. */
  @Override
  void collect() {
    float[] changed = array.toFloatArray();
    System.arraycopy(changed, 0, values.values(), 0, changed.length);
  }

  @Override
  void backward(Kernel kernel) {}

  WholeTensor whole() {
    return whole;
  }
}

package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.kernel.Kernel;
import dev.nola.trainer.model.FloatElements;
import dev.nola.trainer.model.Tensors;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A tensor whose elements are trained: of a classifier, a bias, or any tensor of a model. */
final class WholeTensor extends Adaptation {
  private final long[] shape;
  private final Parameter values;
  private @Nullable Leaf leaf;

  WholeTensor(String tensor, long[] shape, Parameter values) {
    super(tensor);
    this.shape = shape.clone();
    this.values = values;
  }

  /** Returns a tensor of a file. */
  static WholeTensor of(String name, DenseTensor tensor) {
    return new WholeTensor(
        name,
        tensor.shape().stream().mapToLong(Integer::longValue).toArray(),
        new Parameter(name, FloatElements.widened(tensor.dtype(), tensor.data())));
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(values);
  }

  @Override
  void begin(NDManager step, boolean record) {
    leaf = new Leaf(step, values.values(), record, shape);
  }

  @Override
  NDArray tensor(@Nullable NDArray base) {
    return leaf.array();
  }

  @Override
  NDArray linear(NDArray x, @Nullable NDArray base, @Nullable NDArray bias) {
    return Tensors.linear(x, leaf.array(), bias);
  }

  @Override
  void collect() {
    leaf.readGradient(values::addGradient);
  }

  @Override
  void backward(Kernel kernel) {}

  /** Returns the tensor as a file stores it. */
  DenseTensor toDense(String storedName, DType type) {
    return new DenseTensor(
        storedName,
        type,
        Arrays.stream(shape).mapToObj(Math::toIntExact).toList(),
        FloatElements.narrowed(type, values.values()));
  }
}

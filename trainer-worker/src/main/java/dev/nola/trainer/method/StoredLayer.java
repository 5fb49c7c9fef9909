package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.kernel.Kernel;
import dev.nola.reconstruct.Factors;
import dev.nola.trainer.model.Tensors;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A layer of an adapter file, reconstructed; it has no parameters to train. */
final class StoredLayer extends Adaptation {
  private final Target target;
  private final Factors factors;
  private @Nullable NDArray a;
  private @Nullable NDArray b;

  StoredLayer(String tensor, Factors factors) {
    super(tensor);
    this.target = Target.of(tensor, factors.layer());
    this.factors = factors;
  }

  @Override
  public List<Parameter> parameters() {
    return List.of();
  }

  @Override
  void begin(NDManager step, boolean record) {
    int rows = factors.layer().rows();
    int cols = factors.layer().cols();
    float[] valuesOfB = factors.b();
    a = new Leaf(step, factors.a(), false, rows, valuesOfB == null ? cols : factors.rank()).array();
    b = valuesOfB == null ? null : new Leaf(step, valuesOfB, false, factors.rank(), cols).array();
  }

  @Override
  NDArray tensor(@Nullable NDArray base) {
    return target.add(b == null ? a : a.matMul(b), base);
  }

  @Override
  NDArray linear(NDArray x, @Nullable NDArray base, @Nullable NDArray bias) {
    if (b == null || base == null || !target.isMatrix()) {
      return Tensors.linear(x, tensor(base), bias);
    }
    return Tensors.linear(x, base, bias).add(Tensors.linear(Tensors.linear(x, b, null), a, null));
  }

  @Override
  boolean isProduct() {
    return b != null && target.isColumns();
  }

  @Override
  NDArray addProduct(NDArray x, NDArray product) {
    return target.addColumns(x.matMul(a).matMul(b), product);
  }

  @Override
  void collect() {}

  @Override
  void backward(Kernel kernel) {}
}

package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.kernel.Kernel;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Tensors;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** LoRA: ΔW = gain·B·A with A of r×in and B of out×r, the names of the LoRA paper. */
final class LoraAdaptation extends Adaptation {
  private final Target target;
  private final int rank;
  private final Parameter a;
  private final Parameter b;
  private final double gain;
  private @Nullable Leaf leafOfA;
  private @Nullable Leaf leafOfB;

  LoraAdaptation(Target target, int rank, Parameter a, Parameter b, double gain) {
    super(target.tensor());
    this.target = target;
    this.rank = rank;
    this.a = a;
    this.b = b;
    this.gain = gain;
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(a, b);
  }

  @Override
  void begin(NDManager step, boolean record) {
    leafOfA = new Leaf(step, a.values(), record, rank, target.cols());
    leafOfB = new Leaf(step, b.values(), record, target.rows(), rank);
  }

  @Override
  NDArray tensor(@Nullable NDArray base) {
    NDArray delta = leafOfB.array().matMul(leafOfA.array()).mul(gain());
    return base == null ? delta : delta.add(base);
  }

  @Override
  NDArray linear(NDArray x, @Nullable NDArray base, @Nullable NDArray bias) {
    NDArray low = Tensors.linear(x, leafOfA.array(), null).mul(gain());
    if (base == null) {
      return Tensors.linear(low, leafOfB.array(), bias);
    }
    return Tensors.linear(x, base, bias).add(Tensors.linear(low, leafOfB.array(), null));
  }

  private NDArray gain() {
    return Tensors.scalar(leafOfA.array().getManager(), gain);
  }

  @Override
  void collect() {
    a.addGradient(leafOfA.gradient());
    b.addGradient(leafOfB.gradient());
  }

  @Override
  void backward(Kernel kernel) {}

  /** Returns W + ΔW as a file stores it. */
  DenseTensor toDense(BaseModel base, String storedName, DType type) {
    try (NDManager manager = Tensors.newManager()) {
      begin(manager, false);
      float[] merged = tensor(base.tensor(tensor())).toFloatArray();
      return new DenseTensor(
          storedName, type, List.of(target.rows(), target.cols()), Tensors.narrowed(type, merged));
    }
  }
}

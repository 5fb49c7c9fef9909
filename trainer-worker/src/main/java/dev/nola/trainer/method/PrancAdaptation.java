package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Layer;
import dev.nola.kernel.Kernel;
import dev.nola.quantize.Quantized;
import dev.nola.quantize.Quantizer;
import dev.nola.trainer.model.Tensors;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** PRANC, the direct form: ΔW = gain·Σ αᵢAᵢ, Aᵢ of out×in. */
final class PrancAdaptation extends Adaptation {
  private final int rows;
  private final int cols;
  private final int stream;
  private final BasisSide side;
  private final double gain;
  private final int bits;
  private float[] values = {};
  private @Nullable Leaf leaf;
  private float[] gradient = {};

  PrancAdaptation(
      String tensor, int rows, int cols, int stream, BasisSide side, double gain, int bits) {
    super(tensor);
    this.rows = rows;
    this.cols = cols;
    this.stream = stream;
    this.side = side;
    this.gain = gain;
    this.bits = bits;
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(side.coefficients());
  }

  @Override
  void prepare(Kernel kernel) {
    values = side.factor(kernel, bits, gain);
  }

  @Override
  void begin(NDManager step, boolean record) {
    leaf = new Leaf(step, values, record, rows, cols);
  }

  @Override
  NDArray tensor(@Nullable NDArray base) {
    return base == null ? leaf.array() : leaf.array().add(base);
  }

  @Override
  NDArray linear(NDArray x, @Nullable NDArray base, @Nullable NDArray bias) {
    return Tensors.linear(x, tensor(base), bias);
  }

  @Override
  void collect() {
    gradient = leaf.gradient();
  }

  @Override
  void backward(Kernel kernel) {
    side.backward(kernel, gradient, gain);
  }

  /** As a file has it. */
  Layer toLayer(String storedName, int bits) {
    Quantized alpha = side.quantized(bits);
    return Layer.ofMatrix(
        storedName,
        rows,
        cols,
        stream,
        Quantizer.scale(alpha.step(), side.norm(), gain),
        new Direct(alpha.codes()));
  }
}

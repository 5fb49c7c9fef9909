package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.kernel.Kernel;
import dev.nola.quantize.Quantized;
import dev.nola.quantize.Quantizer;
import dev.nola.trainer.model.Tensors;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * NOLA (paper, equations 1 and 2): ΔW = gain·A·B, A = Σ αᵢAᵢ of out×r, B = Σ βⱼBⱼ of r×in, both
 * normalised as {@link BasisSide} says.
 */
final class NolaAdaptation extends Adaptation {
  private final int rows;
  private final int cols;
  private final int rank;
  private final int stream;
  private final BasisSide a;
  private final BasisSide b;
  private final double gain;
  private final int bits;
  private float[] valuesOfA = {};
  private float[] valuesOfB = {};
  private @Nullable Leaf leafOfA;
  private @Nullable Leaf leafOfB;
  private float[] gradientOfA = {};
  private float[] gradientOfB = {};

  NolaAdaptation(
      String tensor,
      int rows,
      int cols,
      int rank,
      int stream,
      BasisSide a,
      BasisSide b,
      double gain,
      int bits) {
    super(tensor);
    this.rows = rows;
    this.cols = cols;
    this.rank = rank;
    this.stream = stream;
    this.a = a;
    this.b = b;
    this.gain = gain;
    this.bits = bits;
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(a.coefficients(), b.coefficients());
  }

  @Override
  void prepare(Kernel kernel) {
    valuesOfA = a.factor(kernel, bits, gain);
    valuesOfB = b.factor(kernel, bits, 1);
  }

  @Override
  void begin(NDManager step, boolean record) {
    leafOfA = new Leaf(step, valuesOfA, record, rows, rank);
    leafOfB = new Leaf(step, valuesOfB, record, rank, cols);
  }

  @Override
  NDArray tensor(@Nullable NDArray base) {
    NDArray delta = leafOfA.array().matMul(leafOfB.array());
    return base == null ? delta : delta.add(base);
  }

  @Override
  NDArray linear(NDArray x, @Nullable NDArray base, @Nullable NDArray bias) {
    NDArray low = Tensors.linear(x, leafOfB.array(), null);
    if (base == null) {
      return Tensors.linear(low, leafOfA.array(), bias);
    }
    return Tensors.linear(x, base, bias).add(Tensors.linear(low, leafOfA.array(), null));
  }

  @Override
  void collect() {
    gradientOfA = leafOfA.gradient();
    gradientOfB = leafOfB.gradient();
  }

  @Override
  void backward(Kernel kernel) {
    a.backward(kernel, gradientOfA, gain);
    b.backward(kernel, gradientOfB, 1);
  }

  /** As a file has it. */
  Layer toLayer(String storedName, int bits) {
    Quantized alpha = a.quantized(bits);
    Quantized beta = b.quantized(bits);
    return Layer.ofMatrix(
        storedName,
        rows,
        cols,
        stream,
        Quantizer.scale(alpha.step(), beta.step(), a.norm(), b.norm(), gain),
        new LowRank(rank, alpha.codes(), beta.codes()));
  }
}

package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.generator.Side;
import dev.nola.gpu.TrainingFactors;
import dev.nola.kernel.Kernel;
import dev.nola.quantize.Quantized;
import dev.nola.quantize.Quantizer;
import dev.nola.trainer.model.Tensors;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A trained product of two factors, ΔW = A·B, with A of R×r and B of r×C: out×r and r×in, unless
 * the tensor is viewed as another matrix. NOLA's (paper, equations 1 and 2) are A = Σ αᵢAᵢ and B =
 * Σ βⱼBⱼ, both normalised as {@link BasisSide} says, and A times a gain. LoRA's are the same with
 * the identity basis: its B, times c/r, is A here, and its A is B here.
 */
final class LowRankAdaptation extends Adaptation {
  private final Target target;
  private final int rank;
  private final int stream;
  private final Factor a;
  private final Factor b;

  private final @Nullable Dropout dropout;
  private boolean drops;

  LowRankAdaptation(
      Target target, int rank, int stream, Factor a, Factor b, @Nullable Dropout dropout) {
    super(target.tensor());
    this.target = target;
    this.rank = rank;
    this.stream = stream;
    this.a = a;
    this.b = b;
    this.dropout = dropout;
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(a.side().coefficients(), b.side().coefficients());
  }

  @Override
  @Nullable GpuLayer gpuLayer() {
    return a instanceof GeneratedFactor && b instanceof GeneratedFactor && a.bits == b.bits
        ? new GpuLayer(toLayer(target.tensor(), a.bits), a.side().basis())
        : null;
  }

  @Override
  void computeBy(TrainingFactors factors, int layer) {
    ((GeneratedFactor) a).computeBy(factors, layer, Side.A);
    ((GeneratedFactor) b).computeBy(factors, layer, Side.B);
  }

  @Override
  boolean roundTo(int bits) {
    return a.roundTo(bits) | b.roundTo(bits);
  }

  @Override
  void prepare(Kernel kernel) {
    a.prepare(kernel);
    b.prepare(kernel);
  }

  @Override
  void dropAt(long step, int part) {
    if (dropout != null) {
      dropout.moveTo(step, part);
    }
  }

  @Override
  boolean drops() {
    return drops;
  }

  private NDArray input(NDArray x) {
    return drops && dropout != null ? dropout.apply(x) : x;
  }

  @Override
  NDArray change(NDArray x) {
    return Tensors.linear(input(x), tensor(null), null);
  }

  @Override
  void begin(NDManager step, boolean record) {
    drops = record && dropout != null;
    a.begin(step, record, target.rows(), rank);
    b.begin(step, record, rank, target.cols());
  }

  @Override
  NDArray tensor(@Nullable NDArray base) {
    return target.add(a.array().matMul(b.array()), base);
  }

  @Override
  NDArray linear(NDArray x, @Nullable NDArray base, @Nullable NDArray bias) {
    if (!target.isMatrix()) {
      return !drops || base == null
          ? Tensors.linear(input(x), tensor(base), bias)
          : Tensors.linear(x, base, bias).add(change(x));
    }
    NDArray low = Tensors.linear(input(x), b.array(), null);
    if (base == null) {
      return Tensors.linear(low, a.array(), bias);
    }
    return Tensors.linear(x, base, bias).add(Tensors.linear(low, a.array(), null));
  }

  @Override
  boolean isProduct() {
    return target.isColumns();
  }

  @Override
  NDArray addProduct(NDArray x, NDArray product) {
    return target.addColumns(input(x).matMul(a.array()).matMul(b.array()), product);
  }

  @Override
  void collect() {
    a.collect();
    b.collect();
  }

  @Override
  void backward(Kernel kernel) {
    a.backward(kernel);
    b.backward(kernel);
  }

  /** Returns the layer as a file stores it. */
  Layer toLayer(String storedName, int bits) {
    BasisSide sideA = a.side();
    BasisSide sideB = b.side();
    Quantized alpha = sideA.quantized(bits);
    Quantized beta = sideB.quantized(bits);
    return target.toLayer(
        storedName,
        stream,
        Quantizer.scale(alpha.step(), beta.step(), sideA.norm(), sideB.norm(), a.gain * b.gain),
        new LowRank(rank, alpha.codes(), beta.codes()));
  }
}

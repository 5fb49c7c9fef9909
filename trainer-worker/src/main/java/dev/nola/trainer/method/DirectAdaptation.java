package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Layer;
import dev.nola.generator.Side;
import dev.nola.gpu.TrainingFactors;
import dev.nola.kernel.Kernel;
import dev.nola.quantize.Quantized;
import dev.nola.quantize.Quantizer;
import dev.nola.trainer.model.Tensors;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A trained matrix without a low rank, as in PRANC: ΔW = gain·Σ αᵢAᵢ, Aᵢ of out×in. */
final class DirectAdaptation extends Adaptation {
  private final Target target;
  private final int stream;
  private final Factor factor;

  DirectAdaptation(Target target, int stream, Factor factor) {
    super(target.tensor());
    this.target = target;
    this.stream = stream;
    this.factor = factor;
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(factor.side().coefficients());
  }

  @Override
  @Nullable GpuLayer gpuLayer() {
    return factor instanceof GeneratedFactor
        ? new GpuLayer(toLayer(target.tensor(), factor.bits), factor.side().basis())
        : null;
  }

  @Override
  void computeBy(TrainingFactors factors, int layer) {
    ((GeneratedFactor) factor).computeBy(factors, layer, Side.A);
  }

  @Override
  boolean roundTo(int bits) {
    return factor.roundTo(bits);
  }

  @Override
  void prepare(Kernel kernel) {
    factor.prepare(kernel);
  }

  @Override
  void begin(NDManager step, boolean record) {
    factor.begin(step, record, target.rows(), target.cols());
  }

  @Override
  NDArray tensor(@Nullable NDArray base) {
    return target.add(factor.array(), base);
  }

  @Override
  NDArray linear(NDArray x, @Nullable NDArray base, @Nullable NDArray bias) {
    return Tensors.linear(x, tensor(base), bias);
  }

  @Override
  void collect() {
    factor.collect();
  }

  @Override
  void backward(Kernel kernel) {
    factor.backward(kernel);
  }

  /** Returns the layer as a file stores it. */
  Layer toLayer(String storedName, int bits) {
    Quantized alpha = factor.side().quantized(bits);
    return target.toLayer(
        storedName,
        stream,
        Quantizer.scale(alpha.step(), factor.side().norm(), factor.gain),
        new Direct(alpha.codes()));
  }
}

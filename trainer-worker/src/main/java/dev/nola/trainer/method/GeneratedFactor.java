package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.generator.Side;
import dev.nola.gpu.TrainingFactors;
import dev.nola.kernel.Kernel;
import dev.nola.quantize.Quantized;
import org.jspecify.annotations.Nullable;

/**
 * A factor that kernels, or a GPU, compute in every step; the transposed product turns its gradient
 * into the coefficients'. No basis is stored.
 */
final class GeneratedFactor extends Factor {
  // Reused by all steps: those of past steps would fill the heap between its collections.
  private float[] values = {};
  private float[] gradient = {};
  private @Nullable Leaf leaf;
  private @Nullable GpuFactor gpu;

  GeneratedFactor(BasisSide side, int bits, double gain) {
    super(side, bits, gain);
  }

  /** Lets a GPU compute the factor from now on. */
  void computeBy(TrainingFactors factors, int layer, Side place) {
    gpu = new GpuFactor(factors, layer, place);
  }

  @Override
  void prepare(Kernel kernel) {
    if (gpu == null) {
      if (values.length == 0) {
        values = new float[side().basis().length()];
      }
      side().factor(kernel, bits, gain, values);
    } else {
      Quantized quantized = side().quantized(bits);
      gpu.set(quantized.codes(), side().scale(quantized.step(), gain));
    }
  }

  @Override
  void begin(NDManager step, boolean record, long rows, long cols) {
    leaf =
        gpu == null
            ? new Leaf(step, values, record, rows, cols)
            : new Leaf(gpu.array(step, rows, cols), record);
  }

  @Override
  NDArray array() {
    return leaf.array();
  }

  @Override
  void collect() {
    if (gpu == null) {
      if (gradient.length == 0) {
        gradient = new float[values.length];
      }
      leaf.readGradient(read -> read.get(gradient));
    } else {
      leaf.takeGradient(gpu::take);
    }
  }

  @Override
  void backward(Kernel kernel) {
    if (gpu == null) {
      side().backward(kernel, gradient, gain);
    } else {
      side().backward(gpu.products(), gain);
    }
  }
}

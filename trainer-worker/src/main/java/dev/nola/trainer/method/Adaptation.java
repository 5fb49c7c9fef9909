package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.format.Layer;
import dev.nola.generator.Basis;
import dev.nola.gpu.TrainingFactors;
import dev.nola.kernel.Kernel;
import dev.nola.trainer.model.Tensors;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The trained part of one tensor. In each step, {@link #prepare} computes values from the
 * parameters, {@link #begin} makes leaves of them, the forward pass uses the leaves, and {@link
 * #backward} turns the leaves' gradients into the parameters'.
 */
public abstract sealed class Adaptation
    permits LowRankAdaptation, DirectAdaptation, WholeTensor, RunningTensor, StoredLayer {
  private final String tensor;

  Adaptation(String tensor) {
    this.tensor = tensor;
  }

  /**
   * Returns the name of the tensor in the model.
   *
   * @return the name
   */
  public final String tensor() {
    return tensor;
  }

  /**
   * Returns what is trained.
   *
   * @return the parameters, in a fixed order; empty if nothing is
   */
  public abstract List<Parameter> parameters();

  /**
   * Returns what forward passes change, such as running means; the optimizer does not.
   *
   * @return the values, in a fixed order; empty if there are none
   */
  public List<Parameter> statistics() {
    return List.of();
  }

  /**
   * A layer whose factors a GPU can compute.
   *
   * @param layer with the codes that its factors have now
   * @param basis of its first factor
   */
  record GpuLayer(Layer layer, Basis basis) {}

  /** Returns the layer whose factors a GPU can compute; null if it can compute none. */
  @Nullable GpuLayer gpuLayer() {
    return null;
  }

  /**
   * Lets a GPU compute the factors of {@link #gpuLayer} from now on.
   *
   * @param factors of the whole model
   * @param layer index of this layer there
   */
  void computeBy(TrainingFactors factors, int layer) {
    throw new IllegalStateException("no factors that a GPU can compute: " + tensor);
  }

  /** Changes the width of the codes of {@link #prepare}; returns whether it was another one. */
  boolean roundTo(int bits) {
    return false;
  }

  /** Moves dropout to a part of a step; {@link #begin} says whether anything is dropped. */
  void dropAt(long step, int part) {}

  /** Returns whether the input of ΔW has dropout in this pass. */
  boolean drops() {
    return false;
  }

  /**
   * Returns x·ΔWᵀ, with dropout of x if {@link #drops}.
   *
   * @param x input, …×in
   */
  NDArray change(NDArray x) {
    return Tensors.linear(x, tensor(null), null);
  }

  /** Computes the leaves' values; of different adaptations in parallel. */
  void prepare(Kernel kernel) {}

  /**
   * Makes the leaves.
   *
   * @param step manager that owns them
   * @param record whether their gradients are needed
   */
  abstract void begin(NDManager step, boolean record);

  /**
   * Returns the trained tensor.
   *
   * @param base tensor of the base, or null for none
   * @return an array that the step owns
   */
  abstract NDArray tensor(@Nullable NDArray base);

  /**
   * Returns x·Wᵀ + b with the trained W.
   *
   * @param x input, …×in
   * @param base W of the base, out×in, or null for 0
   * @param bias bias, or null for none
   * @return …×out
   */
  abstract NDArray linear(NDArray x, @Nullable NDArray base, @Nullable NDArray bias);

  /** Returns whether ΔW is a product of factors, in the tensor's own rows or columns. */
  boolean isProduct() {
    return false;
  }

  /**
   * Adds x·ΔW, if {@link #isProduct}.
   *
   * @param x input, …×rows
   * @param product sum so far, …×columns of the tensor
   * @return the sum
   */
  NDArray addProduct(NDArray x, NDArray product) {
    throw new IllegalStateException("not a product of factors: " + tensor);
  }

  /** Adds the leaves' gradients to the parameters'; of different adaptations in parallel. */
  abstract void backward(Kernel kernel);

  /** Reads the leaves' gradients; the leaves may be closed afterwards. */
  abstract void collect();
}

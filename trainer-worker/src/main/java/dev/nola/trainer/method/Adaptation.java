package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.kernel.Kernel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is trained of one tensor. Of each step: {@link #prepare} computes what the parameters stand
 * for, {@link #begin} makes leaves of it, the forward pass uses them, and {@link #backward} takes
 * their gradients to the parameters'.
 */
public abstract sealed class Adaptation
    permits NolaAdaptation, PrancAdaptation, LoraAdaptation, WholeTensor, StoredLayer {
  private final String tensor;

  Adaptation(String tensor) {
    this.tensor = tensor;
  }

  /** The tensor's name in the model. */
  public final String tensor() {
    return tensor;
  }

  /** What is trained. */
  public abstract List<Parameter> parameters();

  /** Computes the leaves' values; of different adaptations in parallel. */
  void prepare(Kernel kernel) {}

  /**
   * Makes the leaves.
   *
   * @param step owns them
   * @param record whether gradients will be asked for
   */
  abstract void begin(NDManager step, boolean record);

  /**
   * The tensor itself, as trained.
   *
   * @param base the base's, or null if there is none
   */
  abstract NDArray tensor(@Nullable NDArray base);

  /**
   * x·Wᵀ + b with the trained W.
   *
   * @param base the base's W, out×in, or null if there is none: then it is 0
   */
  abstract NDArray linear(NDArray x, @Nullable NDArray base, @Nullable NDArray bias);

  /** Adds the leaves' gradients to the parameters'; of different adaptations in parallel. */
  abstract void backward(Kernel kernel);

  /** Reads the leaves' gradients, after which they may be closed. */
  abstract void collect();
}

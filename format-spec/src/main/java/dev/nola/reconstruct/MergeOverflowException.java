package dev.nola.reconstruct;

import dev.nola.format.DType;

/**
 * Thrown if a merged weight would be infinite in its type: the adapter is not for this base model,
 * or its weight is too large.
 */
public final class MergeOverflowException extends ArithmeticException {
  private final String tensor;
  private final long element;

  /**
   * Creates the exception.
   *
   * @param tensor name of the tensor that was merged
   * @param element index of the element in the flattened ΔW
   * @param dtype type of the weights
   */
  public MergeOverflowException(String tensor, long element, DType dtype) {
    super(
        "merged weight too large for %3$s: element %2$d of tensor %1$s; is this the adapter's base model?"
            .formatted(tensor, element, dtype));
    this.tensor = tensor;
    this.element = element;
  }

  /**
   * Returns the tensor that was merged.
   *
   * @return its name
   */
  public String tensor() {
    return tensor;
  }

  /**
   * Returns the element that would overflow.
   *
   * @return its index in the flattened ΔW
   */
  public long element() {
    return element;
  }
}

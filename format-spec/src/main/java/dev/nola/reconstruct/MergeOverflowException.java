package dev.nola.reconstruct;

import dev.nola.format.DType;

/**
 * A finite weight would not have stayed finite in its type: the adapter does not fit this base
 * model.
 */
public final class MergeOverflowException extends ArithmeticException {
  private final String tensor;
  private final long element;

  MergeOverflowException(String tensor, long element, DType dtype) {
    super(
        "tensor %s, element %d: the merged weight does not fit %s"
            .formatted(tensor, element, dtype));
    this.tensor = tensor;
    this.element = element;
  }

  /** The tensor that was merged. */
  public String tensor() {
    return tensor;
  }

  /** Number of the element in the flattened ΔW. */
  public long element() {
    return element;
  }
}

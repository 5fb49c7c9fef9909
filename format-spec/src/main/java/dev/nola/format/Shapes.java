package dev.nola.format;

import java.util.List;

/** The rules that every stored shape obeys. */
final class Shapes {
  private Shapes() {}

  static void requireLegal(String tensor, List<Integer> shape) {
    if (shape.size() > Limits.DIMENSIONS) {
      throw new LimitExcess(
          "too many dimensions of tensor %s: %d; limit is %d"
              .formatted(tensor, shape.size(), Limits.DIMENSIONS));
    }
    for (int dim : shape) {
      if (dim < 1) {
        throw new IllegalArgumentException(
            "invalid shape of tensor %s: %s; every dimension must be 1 to 2^31-1"
                .formatted(tensor, shape));
      }
    }
    elements(tensor, shape);
  }

  /** Returns the number of elements; a scalar has one. */
  static long elements(String tensor, List<Integer> shape) {
    long elements = 1;
    for (int dim : shape) {
      if (Math.multiplyHigh(elements, dim) != 0 || elements * dim < 0) {
        throw new LimitExcess(
            "tensor %s too large: shape %s; limit is 2^63-1 elements".formatted(tensor, shape));
      }
      elements *= dim;
    }
    return elements;
  }
}

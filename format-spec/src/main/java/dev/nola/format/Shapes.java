package dev.nola.format;

import java.util.List;

/** The rules that every stored shape obeys. */
final class Shapes {
  private static final long MAX_ELEMENTS = Long.MAX_VALUE;
  private static final long MAX_DENSE_ELEMENTS = Long.MAX_VALUE / 4;

  private Shapes() {}

  /** Requires a shape within the limits, and every dimension of 1 to 2³¹−1. */
  static void requireLegal(String tensor, List<Integer> shape) {
    for (int dim : shape) {
      if (Rules.isBroken(Rule.DIMENSION, dim >= 1)) {
        throw new RuleViolation(
            Rule.DIMENSION,
            "invalid shape of tensor %s: %s; every dimension must be 1 to 2^31-1"
                .formatted(tensor, shape));
      }
    }
    requireWithin(tensor, shape);
  }

  /** Requires that a tensor has at most {@link Limits#DIMENSIONS} dimensions and 2⁶³−1 elements. */
  static void requireWithin(String tensor, List<? extends Number> shape) {
    if (Rules.isBroken(Rule.DIMENSIONS_LIMIT, shape.size() <= Limits.DIMENSIONS)) {
      throw new RuleViolation(
          Rule.DIMENSIONS_LIMIT,
          "too many dimensions of tensor %s: %d; limit is %d"
              .formatted(tensor, shape.size(), Limits.DIMENSIONS));
    }
    if (Rules.isBroken(Rule.ELEMENTS_LIMIT, "tensor", isWithin(shape, MAX_ELEMENTS))) {
      throw new RuleViolation(
          Rule.ELEMENTS_LIMIT,
          "tensor %s too large: shape %s; limit is 2^63-1 elements".formatted(tensor, shape));
    }
  }

  /** Requires that a dense tensor has at most 2⁶¹−1 elements. */
  static void requireDenseWithin(String tensor, List<? extends Number> shape) {
    if (Rules.isBroken(Rule.ELEMENTS_LIMIT, "dense tensor", isWithin(shape, MAX_DENSE_ELEMENTS))) {
      throw new RuleViolation(
          Rule.ELEMENTS_LIMIT,
          "dense tensor %s too large: shape %s; limit is 2^61-1 elements".formatted(tensor, shape));
    }
  }

  /**
   * Returns whether a shape has at most {@code limit} elements; with a dimension of 0, it has 0.
   */
  private static boolean isWithin(List<? extends Number> shape, long limit) {
    long elements = 1;
    boolean within = true;
    for (Number dim : shape) {
      if (dim.longValue() == 0) {
        return true;
      }
      within &= elements <= limit / dim.longValue();
      elements = within ? elements * dim.longValue() : limit;
    }
    return within;
  }

  /** Returns the number of elements of a shape within the limits; a scalar has one. */
  static long elements(List<Integer> shape) {
    long elements = 1;
    for (int dim : shape) {
      elements *= dim;
    }
    return elements;
  }
}

package dev.nola.client.synthetic;

import java.util.List;

/**
 * How a tensor is viewed as a matrix: one of two dimensions as it is, one of more (a convolution's)
 * as nearly square as its number of elements n allows, R being the largest divisor of n that is at
 * most √n.
 */
record MatrixView(int rows, int cols) {
  /**
   * @throws IllegalArgumentException if R or C would be beyond 2³¹−1
   */
  static MatrixView of(String tensor, List<Integer> shape) {
    if (shape.size() == 2) {
      return new MatrixView(shape.getFirst(), shape.getLast());
    }
    try {
      long elements = shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
      long rows = (long) Math.sqrt(elements);
      while (elements % rows != 0) {
        rows--;
      }
      return new MatrixView(Math.toIntExact(rows), Math.toIntExact(elements / rows));
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "tensor %s of shape %s cannot be viewed as a matrix; both dimensions must be at most 2^31-1"
              .formatted(tensor, shape),
          e);
    }
  }
}

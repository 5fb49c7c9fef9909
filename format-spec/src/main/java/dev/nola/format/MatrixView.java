package dev.nola.format;

import java.util.List;

/**
 * A tensor viewed as a matrix: its elements, row-major, in R rows of C (SPEC.md, section 4.2).
 *
 * @param rows R
 * @param cols C
 */
public record MatrixView(int rows, int cols) {
  /**
   * Views a tensor of two dimensions as it is, and another, such as a convolution's, as nearly
   * square as its number of elements allows.
   *
   * @param tensor name of the tensor, for messages
   * @param shape size of each dimension
   * @return the view
   * @throws IllegalArgumentException if R or C would be beyond 2³¹−1
   */
  public static MatrixView of(String tensor, List<Integer> shape) {
    return shape.size() == 2
        ? new MatrixView(shape.getFirst(), shape.getLast())
        : nearlySquare(tensor, shape);
  }

  /**
   * Views a tensor as nearly square as its number of elements n allows: R is the largest divisor of
   * n that is at most √n.
   *
   * @param tensor name of the tensor, for messages
   * @param shape size of each dimension
   * @return the view
   * @throws IllegalArgumentException if C would be beyond 2³¹−1
   */
  public static MatrixView nearlySquare(String tensor, List<Integer> shape) {
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

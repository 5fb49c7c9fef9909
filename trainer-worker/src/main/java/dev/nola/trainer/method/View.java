package dev.nola.trainer.method;

import dev.nola.format.MatrixView;
import java.util.List;

/** The matrix that a target's ΔW is a product of rank r for. */
public enum View {
  /** The tensor itself, out×in; filters of a convolution are viewed as {@link #SQUARE}. */
  LAYER,
  /**
   * The tensor's elements as nearly square as their number allows, as in the paper's code: rank r
   * then covers the most of a matrix that is trained from scratch.
   */
  SQUARE;

  /**
   * Views a tensor.
   *
   * @param tensor name of the tensor, for messages
   * @param shape size of each dimension
   * @return the matrix
   * @throws IllegalArgumentException if R or C would be beyond 2³¹−1
   */
  public MatrixView of(String tensor, List<Integer> shape) {
    return switch (this) {
      case LAYER -> MatrixView.of(tensor, shape);
      case SQUARE -> MatrixView.nearlySquare(tensor, shape);
    };
  }
}

package dev.nola.client.peft;

/**
 * The error of a product of two factors, in squared Frobenius norms, so that errors of several
 * products can be added up.
 *
 * @param difference ‖A'B' − AB‖²
 * @param norm ‖AB‖²
 */
public record ProductError(double difference, double norm) {
  /** The error of no product. */
  public static final ProductError NONE = new ProductError(0, 0);

  /**
   * Compares two products of R×r and r×C.
   *
   * <p>With dA = A' − A and dB = B' − B, the difference is dA·B' + A·dB = XY for X of R×2r and Y of
   * 2r×C, and ‖XY‖² is the sum of the elements of XᵀX times those of YYᵀ: nothing of R×C is needed.
   *
   * @param a the columns of A: r arrays of R
   * @param b the rows of B: r arrays of C
   * @param otherA the columns of A'
   * @param otherB the rows of B'
   * @return the error
   */
  public static ProductError of(double[][] a, double[][] b, double[][] otherA, double[][] otherB) {
    int rank = a.length;
    double[][] x = new double[2 * rank][];
    double[][] y = new double[2 * rank][];
    for (int t = 0; t < rank; t++) {
      x[t] = difference(otherA[t], a[t]);
      y[t] = otherB[t];
      x[rank + t] = a[t];
      y[rank + t] = difference(otherB[t], b[t]);
    }
    return new ProductError(squaredNorm(x, y), squaredNorm(a, b));
  }

  /**
   * Adds the error of another product.
   *
   * @param other the other error
   * @return the error of both
   */
  public ProductError plus(ProductError other) {
    return new ProductError(difference + other.difference, norm + other.norm);
  }

  /**
   * Returns the relative error.
   *
   * @return ‖A'B' − AB‖ / ‖AB‖; 0 if both products are zero
   */
  public double relative() {
    return difference == 0 ? 0 : Math.sqrt(difference) / Math.sqrt(norm);
  }

  private static double[] difference(double[] one, double[] other) {
    double[] difference = new double[one.length];
    for (int i = 0; i < one.length; i++) {
      difference[i] = one[i] - other[i];
    }
    return difference;
  }

  /** ‖XY‖² for the columns of X and the rows of Y. */
  private static double squaredNorm(double[][] x, double[][] y) {
    double sum = 0;
    for (int s = 0; s < x.length; s++) {
      sum += dot(x[s], x[s]) * dot(y[s], y[s]);
      for (int t = s + 1; t < x.length; t++) {
        sum += 2 * dot(x[s], x[t]) * dot(y[s], y[t]);
      }
    }
    return Math.max(0, sum); // rounding may leave a zero a little below
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }
}

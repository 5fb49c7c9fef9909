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

  /** Vectors whose products with all others are held at a time. */
  private static final int BLOCK = 256;

  /** Elements of every vector that are held at a time. */
  private static final int CHUNK = 32;

  /** Elements that one pass over the products adds. */
  private static final int STEP = 4;

  /**
   * Compares two products of R×r and r×C.
   *
   * @param a the columns of A: r arrays of R
   * @param b the rows of B: r arrays of C
   * @param otherA the columns of A'
   * @param otherB the rows of B'
   * @return the error
   */
  public static ProductError of(double[][] a, double[][] b, double[][] otherA, double[][] otherB) {
    return of(a, b, otherA, otherB, squaredNorm(a, b));
  }

  /**
   * Compares two products of R×r and r×C, one of which was compared before.
   *
   * <p>With dA = A' − A and dB = B' − B, the difference is dA·B' + A·dB = XY for X of R×2r and Y of
   * 2r×C, and ‖XY‖² is the sum of the elements of XᵀX times those of YYᵀ: nothing of R×C is needed.
   *
   * @param a the columns of A: r arrays of R
   * @param b the rows of B: r arrays of C
   * @param otherA the columns of A'
   * @param otherB the rows of B'
   * @param norm ‖AB‖²
   * @return the error
   */
  public static ProductError of(
      double[][] a, double[][] b, double[][] otherA, double[][] otherB, double norm) {
    int rank = a.length;
    double[][] x = new double[2 * rank][];
    double[][] y = new double[2 * rank][];
    boolean isEqual = true;
    for (int t = 0; t < rank; t++) {
      x[t] = difference(otherA[t], a[t]);
      y[t] = otherB[t];
      x[rank + t] = a[t];
      y[rank + t] = difference(otherB[t], b[t]);
      isEqual &= isZero(x[t]) && isZero(y[rank + t]);
    }
    return new ProductError(isEqual ? 0 : squaredNorm(x, y), norm);
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

  private static boolean isZero(double[] vector) {
    for (double element : vector) {
      if (element != 0) {
        return false;
      }
    }
    return true;
  }

  /** ‖XY‖² for the columns of X and the rows of Y. */
  private static double squaredNorm(double[][] x, double[][] y) {
    double sum = 0;
    for (int first = 0; first < x.length; first += BLOCK) {
      int end = Math.min(first + BLOCK, x.length);
      double[][] products = products(x, first, end);
      double[][] others = products(y, first, end);
      for (int s = first; s < end; s++) {
        double[] row = products[s - first];
        double[] other = others[s - first];
        double rowSum = 0;
        for (int t = s + 1; t < x.length; t++) {
          rowSum += row[t] * other[t];
        }
        sum += row[s] * other[s] + 2 * rowSum;
      }
    }
    return Math.max(0, sum); // rounding may leave a zero a little below
  }

  /**
   * Multiplies some vectors with themselves and all that follow. The innermost loop is over
   * vectors, not elements: so its additions are independent of each other, and it is compiled to
   * vector instructions.
   */
  private static double[][] products(double[][] vectors, int first, int end) {
    int count = vectors.length;
    int length = vectors[0].length;
    double[][] products = new double[end - first][count];
    double[][] chunk = new double[CHUNK][count];
    for (int start = 0; start < length; start += CHUNK) {
      for (int t = first; t < count; t++) {
        for (int i = 0; i < CHUNK; i++) {
          chunk[i][t] = start + i < length ? vectors[t][start + i] : 0;
        }
      }
      for (int s = first; s < end; s++) {
        for (int i = 0; i < CHUNK; i += STEP) {
          add(products[s - first], s, chunk[i], chunk[i + 1], chunk[i + 2], chunk[i + 3]);
        }
      }
    }
    return products;
  }

  /** Adds {@value #STEP} elements to the products of vector s. */
  private static void add(
      double[] products, int s, double[] one, double[] two, double[] three, double[] four) {
    double oneS = one[s];
    double twoS = two[s];
    double threeS = three[s];
    double fourS = four[s];
    for (int t = s; t < products.length; t++) {
      products[t] += oneS * one[t] + twoS * two[t] + threeS * three[t] + fourS * four[t];
    }
  }
}

package dev.nola.client.export;

/**
 * The factors of one module, rounded to their type. The weight, as out×in, changes by B·A.
 *
 * @param module the module
 * @param rank of both factors
 * @param a rank×in, row-major
 * @param b out×rank, row-major
 */
public record ModuleLora(LoraModule module, int rank, float[] a, float[] b) {
  /**
   * Returns A transposed.
   *
   * @return in×rank, row-major
   */
  public float[] transposedA() {
    return transposed(a, module.in());
  }

  /**
   * Returns B transposed.
   *
   * @return rank×out, row-major
   */
  public float[] transposedB() {
    return transposed(b, rank);
  }

  static float[] transposed(float[] matrix, int cols) {
    int rows = matrix.length / cols;
    float[] transposed = new float[matrix.length];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        transposed[j * rows + i] = matrix[i * cols + j];
      }
    }
    return transposed;
  }
}

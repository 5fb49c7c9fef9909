package dev.nola.client.dequantize;

/** The elements of a tensor as f32, by row. A row is the last dimension; the others are one. */
@FunctionalInterface
interface Values {
  /**
   * Decodes rows.
   *
   * @param first index of the first row
   * @param rows how many
   * @param target receives their elements, row after row
   */
  void read(long first, int rows, float[] target);
}

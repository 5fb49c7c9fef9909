package dev.nola.client.lora;

import dev.nola.format.Slice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * ΔW of a tensor, or of one expert's slice of it, in the orientation in which it is stored: scaling
 * · A·B.
 *
 * @param tensor the tensor's name
 * @param shape its stored shape
 * @param slice the part of the tensor; null for all of it
 * @param a the columns of A: r arrays of R
 * @param b the rows of B: r arrays of C
 */
record StoredProduct(
    String tensor, List<Integer> shape, @Nullable Slice slice, double[][] a, double[][] b) {
  /**
   * Takes the products of a pair apart. Of r·E ranks, lora_A has those of expert e together, and
   * lora_B those of one rank.
   *
   * @param factorA the elements of lora_A
   * @param factorB the elements of lora_B
   */
  static List<StoredProduct> of(LoraPair pair, Target target, float[] factorA, float[] factorB) {
    int experts = Math.max(1, target.experts());
    int width = Math.toIntExact(pair.rank());
    int rank = width / experts;
    List<StoredProduct> products = new ArrayList<>();
    for (int expert = 0; expert < experts; expert++) {
      double[][] inputs = new double[rank][];
      double[][] outputs = new double[rank][];
      for (int t = 0; t < rank; t++) {
        inputs[t] = row(factorA, width, expert * rank + t);
        outputs[t] = column(factorB, width, t * experts + expert);
      }
      if (target.parts().isEmpty()) {
        products.add(
            new StoredProduct(
                target.tensor(),
                target.shape(),
                experts == 1 ? null : new Slice(0, expert, 1),
                target.isTransposed() ? inputs : outputs,
                target.isTransposed() ? outputs : inputs));
      } else {
        addParts(target.parts().get(expert), outputs, inputs, products);
      }
    }
    return products;
  }

  /** Adds the product of each part, which has as many of the outputs as the others. */
  private static void addParts(
      List<String> parts, double[][] outputs, double[][] inputs, List<StoredProduct> products) {
    int rows = outputs[0].length / parts.size();
    for (int part = 0; part < parts.size(); part++) {
      double[][] own = new double[outputs.length][];
      for (int t = 0; t < outputs.length; t++) {
        own[t] = Arrays.copyOfRange(outputs[t], part * rows, (part + 1) * rows);
      }
      products.add(
          new StoredProduct(parts.get(part), List.of(rows, inputs[0].length), null, own, inputs));
    }
  }

  private static double[] row(float[] matrix, int rows, int number) {
    double[] row = new double[matrix.length / rows];
    for (int j = 0; j < row.length; j++) {
      row[j] = matrix[number * row.length + j];
    }
    return row;
  }

  private static double[] column(float[] matrix, int cols, int number) {
    double[] column = new double[matrix.length / cols];
    for (int i = 0; i < column.length; i++) {
      column[i] = matrix[i * cols + number];
    }
    return column;
  }

  /**
   * Balances the factors, so that one step for all of A and one for all of B quantize them well.
   * Each rank's column of A is multiplied by a power of two and its row of B divided by it, so that
   * the ratio of their norms is about the same for all ranks: otherwise a rank with a small column
   * and a large row would drown in the error of the others. If one of the two is zero, the other
   * becomes zero. Ranks of equal ratios are not changed.
   *
   * @return factors whose largest elements have a magnitude of 1 to 2, and the power of two by
   *     which their product must be multiplied to get this one
   */
  Balanced balanced() {
    double[] ratios = new double[rank()]; // not a number for a product of zero
    double reference = 0;
    double largest = 0;
    for (int t = 0; t < rank(); t++) {
      double normA = norm(a[t]);
      double normB = norm(b[t]);
      ratios[t] =
          normA == 0 || normB == 0 ? Double.NaN : StrictMath.log(normB / normA) / StrictMath.log(2);
      if (normA * normB > largest) {
        largest = normA * normB;
        reference = ratios[t];
      }
    }
    double[][] columns = new double[rank()][];
    double[][] rows = new double[rank()][];
    for (int t = 0; t < rank(); t++) {
      boolean isZero = Double.isNaN(ratios[t]);
      int shift = isZero ? 0 : (int) Math.round((ratios[t] - reference) / 2);
      columns[t] = isZero && largest > 0 ? new double[rows()] : scaled(a[t], shift);
      rows[t] = isZero && largest > 0 ? new double[cols()] : scaled(b[t], -shift);
    }
    int exponentA = exponent(columns);
    int exponentB = exponent(rows);
    for (int t = 0; t < rank(); t++) {
      columns[t] = scaled(columns[t], -exponentA);
      rows[t] = scaled(rows[t], -exponentB);
    }
    return new Balanced(
        new StoredProduct(tensor, shape, slice, columns, rows),
        Math.scalb(1.0, exponentA + exponentB));
  }

  /**
   * A product in balanced factors.
   *
   * @param product the factors
   * @param factor a power of two
   */
  record Balanced(StoredProduct product, double factor) {}

  private static double norm(double[] vector) {
    double sum = 0;
    for (double element : vector) {
      sum += element * element;
    }
    return Math.sqrt(sum);
  }

  private static double[] scaled(double[] vector, int shift) {
    double[] scaled = new double[vector.length];
    for (int i = 0; i < vector.length; i++) {
      scaled[i] = Math.scalb(vector[i], shift);
    }
    return scaled;
  }

  /** The exponent of the largest element; 0 if all are zero. */
  private static int exponent(double[][] vectors) {
    double largest = 0;
    for (double[] vector : vectors) {
      for (double element : vector) {
        largest = Math.max(largest, Math.abs(element));
      }
    }
    return largest == 0 ? 0 : Math.getExponent(largest);
  }

  int rank() {
    return a.length;
  }

  int rows() {
    return a[0].length;
  }

  int cols() {
    return b[0].length;
  }

  /** Returns A of R×r, row-major, times a sign. */
  float[] sideA(int sign) {
    float[] side = new float[rows() * rank()];
    for (int t = 0; t < rank(); t++) {
      for (int i = 0; i < rows(); i++) {
        side[i * rank() + t] = (float) (sign * a[t][i]);
      }
    }
    return side;
  }

  /** Returns B of r×C, row-major. */
  float[] sideB() {
    float[] side = new float[rank() * cols()];
    for (int t = 0; t < rank(); t++) {
      for (int j = 0; j < cols(); j++) {
        side[t * cols() + j] = (float) b[t][j];
      }
    }
    return side;
  }
}

package dev.nola.client.peft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProductErrorTest {
  private final Random random = new Random(5);

  private double[][] vectors(int count, int length) {
    double[][] vectors = new double[count][length];
    for (double[] vector : vectors) {
      for (int i = 0; i < length; i++) {
        vector[i] = random.nextGaussian();
      }
    }
    return vectors;
  }

  private static double element(double[][] a, double[][] b, int i, int j) {
    double sum = 0;
    for (int t = 0; t < a.length; t++) {
      sum += a[t][i] * b[t][j];
    }
    return sum;
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "2, 33, 5", "150, 37, 70", "300, 9, 64"})
  void errorIsThatOfTheElements(int rank, int rows, int cols) {
    double[][] a = vectors(rank, rows);
    double[][] b = vectors(rank, cols);
    double[][] otherA = vectors(rank, rows);
    double[][] otherB = vectors(rank, cols);

    ProductError error = ProductError.of(a, b, otherA, otherB);

    double difference = 0;
    double norm = 0;
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        double exact = element(a, b, i, j);
        difference += Math.pow(element(otherA, otherB, i, j) - exact, 2);
        norm += exact * exact;
      }
    }
    assertThat(error.difference()).isCloseTo(difference, within(1e-9 * difference));
    assertThat(error.norm()).isCloseTo(norm, within(1e-9 * norm));
  }

  @Test
  void equalFactorsHaveNoError() {
    double[][] a = vectors(3, 4);
    double[][] b = vectors(3, 5);

    assertThat(ProductError.of(a, b, a, b).relative()).isZero();
  }
}

package dev.nola.client.diff;

import dev.nola.reconstruct.Factors;

/** How far apart two ΔW are, of one part of tensors of one shape; in f64. */
final class Distance {
  private static final int PART = 1 << 14;

  private Distance() {}

  /**
   * ‖ΔW₁ − ΔW₂‖ / ‖ΔW₁‖ in Frobenius norms. Of two products of factors it is computed without
   * either product, and then good to about 1e-8; else element by element, both flattened, so that
   * their views may differ.
   */
  static double between(Factors first, Factors second) {
    float[] b1 = first.b();
    float[] b2 = second.b();
    if (b1 == null || b2 == null || first.layer().cols() != second.layer().cols()) {
      return elementwise(first, second);
    }
    double norm = inner(first, b1, first, b1);
    double difference = norm + inner(second, b2, second, b2) - 2 * inner(first, b1, second, b2);
    return ratio(Math.max(0, difference), norm);
  }

  /** ⟨A₁B₁, A₂B₂⟩ = ⟨A₁ᵀA₂, B₁B₂ᵀ⟩. */
  private static double inner(Factors first, float[] b1, Factors second, float[] b2) {
    int rows = first.layer().rows();
    int cols = first.layer().cols();
    double sum = 0;
    for (int s = 0; s < first.rank(); s++) {
      for (int t = 0; t < second.rank(); t++) {
        double a = 0;
        for (int i = 0; i < rows; i++) {
          a += (double) first.a()[i * first.rank() + s] * second.a()[i * second.rank() + t];
        }
        double b = 0;
        for (int j = 0; j < cols; j++) {
          b += (double) b1[s * cols + j] * b2[t * cols + j];
        }
        sum += a * b;
      }
    }
    return sum;
  }

  private static double elementwise(Factors first, Factors second) {
    double difference = 0;
    double norm = 0;
    double[] one = new double[PART];
    double[] two = new double[PART];
    long elements = first.layer().elements();
    for (long start = 0; start < elements; start += PART) {
      int count = (int) Math.min(PART, elements - start);
      first.delta(start, one, count);
      second.delta(start, two, count);
      for (int i = 0; i < count; i++) {
        difference += (one[i] - two[i]) * (one[i] - two[i]);
        norm += one[i] * one[i];
      }
    }
    return ratio(difference, norm);
  }

  private static double ratio(double difference, double norm) {
    return difference == 0 ? 0 : Math.sqrt(difference / norm);
  }
}

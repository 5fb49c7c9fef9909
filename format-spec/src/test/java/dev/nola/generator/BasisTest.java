package dev.nola.generator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.cases.Counts;
import dev.nola.cases.PropertyTest;
import dev.nola.cases.Range;
import dev.nola.kernel.Kernels;

/** The integers of basis vectors, one by one. */
class BasisTest {
  @PropertyTest(cases = 300)
  void vectorsAddUpToTheKernelsFactor(
      Generator generator,
      long seed,
      int stream,
      Side side,
      @Range(min = 1, max = 3_000) int length,
      @Range(min = 1, max = 7) int count) {
    Basis basis = new Basis(generator, seed, stream, side, length);
    int k = Counts.coefficients(generator, length, 4, count);
    int[] coefficients = new int[k];
    double[] sums = new double[length];
    for (int i = 0; i < k; i++) {
      coefficients[i] = 2 * i - 3;
      for (int start = 0; start < length; start += 256) { // in pieces, of which the last is shorter
        int[] integers = new int[256];
        int piece = Math.min(256, length - start);
        basis.vector(i, start, piece, integers);
        for (int e = 0; e < piece; e++) {
          sums[start + e] += (double) coefficients[i] * integers[e];
        }
      }
    }
    float[] factor = new float[length];
    Kernels.scalar().combine(basis, coefficients, 1, factor);
    for (int e = 0; e < length; e++) {
      assertThat(factor[e]).as("element %d", e).isEqualTo((float) sums[e] + 0.0f);
    }
  }
}

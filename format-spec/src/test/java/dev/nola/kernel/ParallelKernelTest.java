package dev.nola.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.cases.Counts;
import dev.nola.cases.PropertyTest;
import dev.nola.cases.Range;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;

class ParallelKernelTest {
  @PropertyTest(cases = 60)
  void factorsAreTheSameForAnyNumberOfThreads(
      Generator generator,
      @Range(min = 1, max = 200_000) int length,
      @Range(min = 1, max = 5) int threads,
      long seed) {
    Basis basis = new Basis(generator, seed, 3, Side.A, length);
    int count = Counts.coefficients(generator, length, 4, 9);
    int[] coefficients = new Random(seed).ints(count, 0, 16).map(u -> 2 * u - 15).toArray();
    float[] expected = new float[length];
    float[] actual = new float[length];
    Kernels.vector().combine(basis, coefficients, 0x1.8p-7f, expected);
    try (ForkJoinPool pool = new ForkJoinPool(threads)) {
      Kernels.parallel(Kernels.vector(), pool).combine(basis, coefficients, 0x1.8p-7f, actual);
    }
    assertThat(Arrays.equals(actual, expected)).isTrue();
  }

  @PropertyTest(cases = 60)
  void transposedProductsAreTheSameForAnyNumberOfThreads(
      Generator generator,
      @Range(min = 1, max = 3000) int length,
      @Range(min = 1, max = 400) int size,
      @Range(min = 1, max = 5) int threads,
      long seed) {
    Basis basis = new Basis(generator, seed, 3, Side.B, length);
    int count = Counts.coefficients(generator, length, 4, size);
    Random random = new Random(seed);
    float[] gradient = new float[length];
    for (int e = 0; e < length; e++) {
      gradient[e] = (float) random.nextGaussian();
    }
    double[] expected = new double[count];
    double[] actual = new double[count];
    Kernels.vector().project(basis, gradient, expected);
    try (ForkJoinPool pool = new ForkJoinPool(threads)) {
      Kernels.parallel(Kernels.vector(), pool).project(basis, gradient, actual);
    }
    assertThat(Arrays.equals(actual, expected)).isTrue();
  }
}

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

class ShortRunKernelTest {
  @PropertyTest(cases = 60)
  void factorsAreTheSame(Generator generator, @Range(min = 1, max = 20_000) int length, long seed) {
    Basis basis = new Basis(generator, seed, 3, Side.A, length);
    int count = Counts.coefficients(generator, length, 4, 9);
    int[] coefficients = new Random(seed).ints(count, 0, 16).map(u -> 2 * u - 15).toArray();
    float[] expected = new float[length];
    float[] actual = new float[length];
    Kernels.vector().combine(basis, coefficients, 0x1.8p-7f, expected);
    Kernels.forShortRuns(Kernels.vector()).combine(basis, coefficients, 0x1.8p-7f, actual);
    assertThat(Arrays.equals(actual, expected)).isTrue();
  }
}

package dev.nola.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class ShortRunKernelTest {
  @Property(tries = 60)
  void factorsAreTheSame(
      @ForAll Generator generator,
      @ForAll @IntRange(min = 1, max = 20_000) int length,
      @ForAll long seed) {
    Basis basis = new Basis(generator, seed, 3, Side.A, length);
    int count = (int) Math.min(9, generator.maxCoefficients(length, 4));
    int[] coefficients = new Random(seed).ints(count, 0, 16).map(u -> 2 * u - 15).toArray();
    float[] expected = new float[length];
    float[] actual = new float[length];
    Kernels.vector().combine(basis, coefficients, 0x1.8p-7f, expected);
    Kernels.forShortRuns(Kernels.vector()).combine(basis, coefficients, 0x1.8p-7f, actual);
    assertThat(Arrays.equals(actual, expected)).isTrue();
  }
}

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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The vector kernel gives the scalar kernel's bits. */
class VectorKernelTest {
  private final Kernel scalar = Kernels.scalar();
  private final Kernel vector = Kernels.vector();

  private void assertSameBits(Basis basis, int[] coefficients, float scale) {
    float[] expected = new float[basis.length()];
    float[] actual = new float[basis.length()];
    scalar.combine(basis, coefficients, scale, expected);
    vector.combine(basis, coefficients, scale, actual);
    for (int e = 0; e < expected.length; e++) {
      assertThat(Float.floatToRawIntBits(actual[e]))
          .as("element %d of %s", e, basis)
          .isEqualTo(Float.floatToRawIntBits(expected[e]));
    }
  }

  @Property(tries = 500)
  void factorsAreEqualForEveryShapeAndWidth(
      @ForAll Generator generator,
      @ForAll @IntRange(min = 1, max = 5000) int length,
      @ForAll @IntRange(min = 1, max = 16) int bits,
      @ForAll @IntRange(min = 1, max = 70) int wanted,
      @ForAll long seed,
      @ForAll int stream,
      @ForAll Side side) {
    Random random = new Random(seed);
    int count = (int) Math.min(wanted, generator.maxCoefficients(length, bits));
    int highest = (1 << bits) - 1;
    int[] coefficients = random.ints(count, 0, 1 << bits).map(u -> 2 * u - highest).toArray();
    float scale = (float) Math.scalb(1 + random.nextDouble(), -12);
    assertSameBits(
        new Basis(generator, seed, stream, side, length), coefficients, side == Side.B ? 1 : scale);
  }

  /** Sums that leave 32 bits behind, at the very bound of exactness. */
  @ParameterizedTest
  @EnumSource(names = "SRHT", mode = EnumSource.Mode.EXCLUDE)
  void factorsAreEqualAtTheBoundOfExactness(Generator generator) {
    int count = (int) Math.min(20_000, generator.maxCoefficients(333, 16));
    int[] highest = new int[count];
    Arrays.fill(highest, 65_535);
    assertSameBits(new Basis(generator, -1, -1, Side.B, 333), highest, 1);
    Arrays.fill(highest, -65_535);
    assertSameBits(new Basis(generator, -1, -1, Side.A, 333), highest, 0x1.23p-20f);
  }

  @Test
  void srhtSumsBeyond32BitsAreEqual() {
    int[] highest = new int[1 << 16];
    Arrays.fill(highest, 65_535);
    assertSameBits(new Basis(Generator.SRHT, 3, 4, Side.B, (1 << 16) + 77), highest, 1);
  }

  @Test
  void transformsLargerThanACacheAreEqual() {
    for (int log2 = 12; log2 <= 18; log2++) {
      int[] coefficients = new Random(log2).ints(1000, -8, 8).map(u -> 2 * u + 1).toArray();
      assertSameBits(new Basis(Generator.SRHT, 5, 6, Side.B, (1 << log2) + 5), coefficients, 1);
    }
  }
}

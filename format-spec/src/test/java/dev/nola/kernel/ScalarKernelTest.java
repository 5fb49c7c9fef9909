package dev.nola.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nola.cases.Counts;
import dev.nola.cases.PropertyTest;
import dev.nola.cases.Range;
import dev.nola.format.DType;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Hadamard;
import dev.nola.generator.Philox;
import dev.nola.generator.Side;
import java.lang.foreign.MemorySegment;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ScalarKernelTest {
  private final Kernel kernel = Kernels.scalar();

  /** b_i[e] straight from the table in SPEC.md section 6, one Philox block an element. */
  private static long integer(Basis basis, int i, int e) {
    int[] words = new int[4];
    int tag = basis.side().ordinal() + 2 * basis.generator().id();
    return switch (basis.generator()) {
      case UNIFORM24 -> {
        Philox.block(basis.seed(), e / 4, i, basis.stream(), tag, words);
        yield 2L * (words[e % 4] >>> 8) - 16777215;
      }
      case UNIFORM8 -> {
        Philox.block(basis.seed(), e / 16, i, basis.stream(), tag, words);
        yield 2L * (words[e % 16 / 4] >>> 8 * (e % 4) & 255) - 255;
      }
      case RADEMACHER -> {
        Philox.block(basis.seed(), e / 128, i, basis.stream(), tag, words);
        yield 1 - 2L * (words[e % 128 / 32] >>> e % 32 & 1);
      }
      case SRHT -> {
        Philox.block(basis.seed(), e / 128, 0, basis.stream(), tag, words);
        long sign = 1 - 2L * (words[e % 128 / 32] >>> e % 32 & 1);
        int column = new Hadamard(basis).column(i);
        yield Integer.bitCount(column & e) % 2 == 0 ? sign : -sign;
      }
      case IDENTITY -> i == e ? 1 : 0;
    };
  }

  @PropertyTest(cases = 150)
  void factorIsTheClosedFormSumWithTwoRoundings(
      Generator generator,
      @Range(min = 1, max = 2100) int length,
      long seed,
      int stream,
      Side side) {
    Random random = new Random(seed);
    Basis basis = new Basis(generator, seed, stream, side, length);
    int maximum = Counts.coefficients(generator, length, 16, 9);
    int[] coefficients = random.ints(maximum, 0, 1 << 16).map(u -> 2 * u - 65535).toArray();
    float scale = side == Side.B ? 1 : (float) Math.scalb(1 + random.nextDouble(), -20);
    float[] factor = new float[length];

    kernel.combine(basis, coefficients, scale, factor);

    for (int e = 0; e < length; e += 1 + length / 60) {
      BigInteger sum = BigInteger.ZERO;
      for (int i = 0; i < maximum; i++) {
        sum = sum.add(BigInteger.valueOf(coefficients[i] * integer(basis, i, e)));
      }
      BigDecimal exact = new BigDecimal(sum).multiply(new BigDecimal(scale));
      float expected = (float) exact.doubleValue() + 0.0f;
      assertThat(Float.floatToRawIntBits(factor[e])).isEqualTo(Float.floatToRawIntBits(expected));
    }
  }

  @PropertyTest(cases = 60)
  void transposedProductIsTheSumOverElements(
      Generator generator, @Range(min = 1, max = 1500) int length, long seed) {
    Random random = new Random(seed);
    Basis basis = new Basis(generator, seed, 3, Side.A, length);
    double[] products = new double[(int) Math.min(5, generator.maxCoefficients(length, 1))];
    float[] gradient = new float[length];
    for (int e = 0; e < length; e++) {
      gradient[e] = (float) random.nextGaussian();
    }

    kernel.project(basis, gradient, products);

    for (int i = 0; i < products.length; i++) {
      double expected = 0;
      double size = 0;
      for (int e = 0; e < length; e++) {
        expected += integer(basis, i, e) * (double) gradient[e];
        size += Math.abs(integer(basis, i, e) * (double) gradient[e]);
      }
      assertThat(products[i]).isCloseTo(expected, within(1e-12 * size));
    }
  }

  @ParameterizedTest
  @EnumSource(
      names = {"SRHT", "IDENTITY"},
      mode = EnumSource.Mode.EXCLUDE)
  void transposedProductAddsInTheOrderOfItsContract(Generator generator) {
    int length = 5003;
    Basis basis = new Basis(generator, 1, 2, Side.A, length);
    float[] gradient = new float[length];
    double[] lanes = new double[16];
    for (int e = 0; e < length; e++) {
      gradient[e] = (float) Math.scalb(1.0 + e / 8192.0, (e * 37) % 60 - 30);
      lanes[e / generator.perBlock() % 16] += integer(basis, 0, e) * (double) gradient[e];
    }
    for (int half = 8; half > 0; half /= 2) {
      for (int j = 0; j < half; j++) {
        lanes[j] += lanes[j + half];
      }
    }
    double[] products = new double[1];
    kernel.project(basis, gradient, products);
    assertThat(products[0]).isEqualTo(lanes[0]);
  }

  @PropertyTest(cases = 40)
  void columnsOfSrhtAreDistinct(@Range(min = 1, max = 5000) int length, long seed, int stream) {
    Hadamard hadamard = new Hadamard(new Basis(Generator.SRHT, seed, stream, Side.B, length));
    boolean[] taken = new boolean[Hadamard.columns(length)];
    for (int i = 0; i < taken.length; i++) {
      assertThat(taken[hadamard.column(i)]).isFalse();
      taken[hadamard.column(i)] = true;
    }
  }

  @Test
  void sideARoundsTwice() {
    assertThat(
            Float.floatToRawIntBits(
                (float) (4463941433588066.0 * Float.intBitsToFloat(0x3c23d70a))))
        .isEqualTo(0x562265b2);
    float once =
        new BigDecimal(4463941433588066L)
            .multiply(new BigDecimal(Float.intBitsToFloat(0x3c23d70a)))
            .floatValue();
    assertThat(Float.floatToRawIntBits(once)).isEqualTo(0x562265b1);
  }

  @PropertyTest(cases = 200)
  void severalDeltasAreAddedInOrderWithEveryStepRounded(long seed, DType dtype) {
    Random random = new Random(seed);
    int count = 1 + random.nextInt(40);
    byte[] weights = new byte[count * dtype.bytes()];
    random.nextBytes(weights);
    double[] multipliers = {random.nextGaussian(), 1, -random.nextDouble()};
    double[][] deltas = new double[3][count];
    for (double[] delta : deltas) {
      Arrays.setAll(delta, _ -> random.nextGaussian());
    }
    byte[] merged = new byte[weights.length];

    int overflow =
        kernel.merge(
            dtype,
            MemorySegment.ofArray(weights),
            MemorySegment.ofArray(merged),
            0,
            count,
            new Kernel.Summands(multipliers, deltas, 0));

    for (int e = 0; e < (overflow < 0 ? count : overflow); e++) {
      int previous = raw(dtype, weights, e);
      float weight = widened(dtype, previous);
      if (!Float.isFinite(weight)) {
        assertThat(raw(dtype, merged, e)).isEqualTo(previous);
        continue;
      }
      double sum = weight;
      for (int n = 0; n < 3; n++) {
        sum = sum + multipliers[n] * deltas[n][e];
      }
      assertThat(raw(dtype, merged, e)).isEqualTo(narrowed(dtype, (float) sum));
    }
    if (overflow >= 0) {
      assertThat(Float.isFinite(widened(dtype, raw(dtype, weights, overflow)))).isTrue();
    }
  }

  private static int raw(DType dtype, byte[] bytes, int e) {
    int value = 0;
    for (int b = dtype.bytes() - 1; b >= 0; b--) {
      value = value << 8 | bytes[e * dtype.bytes() + b] & 0xFF;
    }
    return value;
  }

  private static float widened(DType dtype, int raw) {
    return switch (dtype) {
      case F32 -> Float.intBitsToFloat(raw);
      case F16 -> Float.float16ToFloat((short) raw);
      case BF16 -> Float.intBitsToFloat(raw << 16);
    };
  }

  /**
   * bf16 by exhaustive thought rather than by the bit trick of the kernel: the nearer neighbour,
   * ties to even.
   */
  private static int narrowed(DType dtype, float value) {
    return switch (dtype) {
      case F32 -> Float.floatToRawIntBits(value);
      case F16 -> Float.floatToFloat16(value) & 0xFFFF;
      case BF16 -> {
        int down = Float.floatToRawIntBits(value) >>> 16;
        double below = Math.abs((double) value - Float.intBitsToFloat(down << 16));
        double above = Math.abs(Float.intBitsToFloat(down + 1 << 16) - (double) value);
        yield below < above || below == above && down % 2 == 0 ? down : down + 1;
      }
    };
  }

  @Test
  void systemPropertyForcesScalarAndRefusesUnknownNames() {
    String previous = System.getProperty(Kernels.PROPERTY);
    try {
      System.setProperty(Kernels.PROPERTY, "scalar");
      assertThat(Kernels.chosen().name()).isEqualTo("scalar");
      System.setProperty(Kernels.PROPERTY, "quantum");
      assertThatThrownBy(Kernels::chosen)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "invalid system property nola.kernel: quantum; must be scalar, vector or absent");
    } finally {
      if (previous == null) {
        System.clearProperty(Kernels.PROPERTY);
      } else {
        System.setProperty(Kernels.PROPERTY, previous);
      }
    }
  }
}

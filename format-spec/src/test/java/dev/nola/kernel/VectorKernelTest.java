package dev.nola.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.cases.Counts;
import dev.nola.cases.PropertyTest;
import dev.nola.cases.Range;
import dev.nola.format.DType;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The vector kernel returns the scalar kernel's bits. The build runs this class once for every
 * vector width that the machine has.
 */
class VectorKernelTest {
  private final Kernel scalar = Kernels.scalar();
  private final Kernel vector = Kernels.vector();

  private static int[] randomCoefficients(Random random, int count, int bits) {
    int highest = (1 << bits) - 1;
    return random.ints(count, 0, 1 << bits).map(u -> 2 * u - highest).toArray();
  }

  private void assertSameFactors(Basis basis, int[] coefficients, float scale) {
    float[] expected = new float[basis.length()];
    float[] actual = new float[basis.length()];
    scalar.combine(basis, coefficients, scale, expected);
    vector.combine(basis, coefficients, scale, actual);
    assertSameBits(basis, expected, actual);
    assertSameBits(basis, expected, streamed(scalar, basis, coefficients, scale));
    assertSameBits(basis, expected, streamed(vector, basis, coefficients, scale));
  }

  private static float[] streamed(Kernel kernel, Basis basis, int[] coefficients, float scale) {
    float[] factor = new float[basis.length()];
    int[] length = {0};
    kernel.stream(
        basis,
        coefficients,
        scale,
        (elements, count) -> {
          System.arraycopy(elements, 0, factor, length[0], count);
          length[0] += count;
        });
    assertThat(length[0]).isEqualTo(basis.length());
    return factor;
  }

  @ParameterizedTest
  @EnumSource
  void factorIsTheSameInParts(Generator generator) {
    Basis basis = new Basis(generator, 5, 7, Side.A, 2 * Kernel.CHUNK + 333);
    int[] coefficients =
        Arrays.copyOf(new int[] {3, -1, 7}, Counts.coefficients(generator, basis.length(), 4, 3));
    float[] expected = new float[basis.length()];
    scalar.combine(basis, coefficients, 0x1.8p-9f, expected);
    try (ForkJoinPool pool = new ForkJoinPool(3)) {
      for (Kernel kernel :
          List.of(scalar, vector, Kernels.parallel(vector, pool), Kernels.forShortRuns(vector))) {
        assertThat(Arrays.equals(expected, streamed(kernel, basis, coefficients, 0x1.8p-9f)))
            .as("%s of %s", kernel.name(), generator)
            .isTrue();
      }
    }
  }

  /** Sums of a transform that need more than 32 bits. */
  @Test
  void largeTransformIsTheSameInParts() {
    int[] coefficients = new int[70_000];
    Arrays.fill(coefficients, (1 << 16) - 1);
    Basis basis = new Basis(Generator.SRHT, 5, 7, Side.A, Kernel.CHUNK + 200);
    float[] expected = new float[basis.length()];
    scalar.combine(basis, coefficients, 0x1p-9f, expected);
    assertThat(streamed(vector, basis, coefficients, 0x1p-9f)).isEqualTo(expected);
    assertThat(streamed(scalar, basis, coefficients, 0x1p-9f)).isEqualTo(expected);
  }

  private static void assertSameBits(Basis basis, float[] expected, float[] actual) {
    for (int e = 0; e < expected.length; e++) {
      assertThat(Float.floatToRawIntBits(actual[e]))
          .as("element %d of %s", e, basis)
          .isEqualTo(Float.floatToRawIntBits(expected[e]));
    }
  }

  @PropertyTest(cases = 500)
  void factorsAreEqualForEveryShapeAndWidth(
      Generator generator,
      @Range(min = 1, max = 5000) int length,
      @Range(min = 1, max = 16) int bits,
      @Range(min = 1, max = 170) int size,
      long seed,
      int stream,
      Side side) {
    Random random = new Random(seed);
    int count = Counts.coefficients(generator, length, bits, size);
    float scale = (float) Math.scalb(1 + random.nextDouble(), -12);
    assertSameFactors(
        new Basis(generator, seed, stream, side, length),
        randomCoefficients(random, count, bits),
        side == Side.B ? 1 : scale);
  }

  @PropertyTest(cases = 200)
  void factorIsTheSameForAnyDivision(
      Generator generator,
      @Range(min = 1, max = 9000) int length,
      @Range(min = 0, max = 70) int block,
      long seed) {
    if (generator == Generator.SRHT) {
      return; // its elements come from one transform
    }
    Basis basis = new Basis(generator, seed, 7, Side.A, length);
    int[] coefficients =
        randomCoefficients(new Random(seed), Counts.coefficients(generator, length, 4, 20), 4);
    float[] whole = new float[length];
    scalar.combine(basis, coefficients, 0x1p-9f, whole);
    int middle = Math.min(length, block * Kernel.BLOCK);
    for (Kernel kernel : new Kernel[] {scalar, vector}) {
      float[] divided = new float[length];
      kernel.combine(basis, coefficients, 0x1p-9f, new Kernel.Target(divided, 0), 0, middle);
      if (middle < length) {
        float[] rest = new float[length - middle];
        Kernel.Target target = new Kernel.Target(rest, middle);
        kernel.combine(basis, coefficients, 0x1p-9f, target, middle, length);
        System.arraycopy(rest, 0, divided, middle, rest.length);
      }
      assertSameBits(basis, whole, divided);
    }
  }

  /** Sums that leave 32 bits behind, at the very bound of exactness. */
  @ParameterizedTest
  @EnumSource(names = "SRHT", mode = EnumSource.Mode.EXCLUDE)
  void factorsAreEqualAtTheBoundOfExactness(Generator generator) {
    for (int bits : new int[] {4, 5, 8, 16}) {
      int count = (int) Math.min(20_000, generator.maxCoefficients(333, bits));
      int[] highest = new int[count];
      Arrays.fill(highest, (1 << bits) - 1);
      assertSameFactors(new Basis(generator, -1, -1, Side.B, 333), highest, 1);
      Arrays.fill(highest, 1 - (1 << bits));
      assertSameFactors(new Basis(generator, -1, -1, Side.A, 333), highest, 0x1.23p-20f);
    }
  }

  /** Sums beyond 2²⁴, 2³¹ and with every column taken. */
  @Test
  void srhtSumsOfEverySizeAreEqual() {
    for (int value : new int[] {255, 257, 32_767, 65_535}) {
      int[] highest = new int[1 << 16];
      Arrays.fill(highest, value);
      assertSameFactors(new Basis(Generator.SRHT, 3, 4, Side.B, (1 << 16) + 77), highest, 1);
      assertSameFactors(new Basis(Generator.SRHT, 3, 4, Side.A, 1 << 16), highest, 0x1.abcdeep-30f);
    }
  }

  @Test
  void transformsOfEverySizeAreEqual() {
    for (int log2 = 0; log2 <= 18; log2++) {
      int length = (1 << log2) + Math.min(5, (1 << log2) - 1);
      int count = (int) Math.min(1000, Generator.SRHT.maxCoefficients(length, 4));
      int[] coefficients = randomCoefficients(new Random(log2), count, 4);
      assertSameFactors(new Basis(Generator.SRHT, 5, 6, Side.B, length), coefficients, 1);
      int[] wide = randomCoefficients(new Random(log2), count, 16);
      assertSameFactors(new Basis(Generator.SRHT, 5, 6, Side.A, length), wide, 0x1.9p-40f);
    }
  }

  /** A scale of +0 makes products of −0, which are stored as +0. */
  @ParameterizedTest
  @EnumSource
  void scaleOfZeroGivesPositiveZeros(Generator generator) {
    int count = Counts.coefficients(generator, 777, 4, 3);
    assertSameFactors(
        new Basis(generator, 1, 2, Side.A, 777), randomCoefficients(new Random(1), count, 4), 0);
  }

  @PropertyTest(cases = 300)
  void transposedProductsAreEqual(
      Generator generator,
      @Range(min = 1, max = 20_000) int length,
      @Range(min = 1, max = 20) int size,
      long seed) {
    Random random = new Random(seed);
    Basis basis = new Basis(generator, seed, 9, Side.A, length);
    int count = (int) Math.min(size, generator.maxCoefficients(length, 1));
    float[] gradient = new float[length];
    for (int e = 0; e < length; e++) {
      gradient[e] = (float) (random.nextGaussian() * Math.scalb(1.0, random.nextInt(80) - 40));
    }
    if (random.nextInt(10) == 0) {
      gradient[random.nextInt(length)] = Float.POSITIVE_INFINITY;
    }
    double[] expected = new double[count];
    double[] actual = new double[count];
    scalar.project(basis, gradient, expected);
    int middle = random.nextInt(count + 1);
    vector.project(basis, gradient, actual, middle, count);
    vector.project(basis, gradient, actual, 0, middle);
    assertThat(bits(actual)).isEqualTo(bits(expected));
  }

  @PropertyTest(cases = 500)
  void deltasAreEqual(
      @Range(min = 1, max = 33) int rank, @Range(min = 1, max = 200) int cols, long seed) {
    Random random = new Random(seed);
    int rows = 1 + random.nextInt(20);
    float[] a = new float[(2 + rows) * rank];
    float[] b = new float[rank * cols];
    for (int j = 0; j < a.length; j++) {
      a[j] = random.nextInt(9) == 0 ? 0 : (float) random.nextGaussian();
    }
    for (int j = 0; j < b.length; j++) {
      b[j] = random.nextInt(9) == 0 ? 0 : (float) Math.scalb(random.nextGaussian(), 20);
    }
    int start = random.nextInt(cols);
    int count = random.nextInt(cols - start + 1);
    double[] expected = new double[rows * count + 3];
    double[] actual = new double[rows * count + 3];
    Kernel.Block block = new Kernel.Block(2, rows, start, count);
    scalar.delta(a, b, rank, cols, block, expected);
    vector.delta(a, b, rank, cols, block, actual);
    assertThat(bits(actual)).isEqualTo(bits(expected));
  }

  /** Weights of any bits: NaN and infinities among them, sums that overflow, sums that are tiny. */
  @PropertyTest(cases = 1000)
  void mergedWeightsAreEqual(DType dtype, @Range(min = 1, max = 600) int count, long seed) {
    Random random = new Random(seed);
    byte[] weights = new byte[(count + 3) * dtype.bytes()];
    random.nextBytes(weights);
    boolean ordinary = random.nextBoolean();
    double[] multipliers = {1, random.nextGaussian()};
    double[][] deltas = new double[1 + random.nextInt(2)][3 + count];
    int scale = ordinary ? -random.nextInt(40) : random.nextInt(10);
    for (double[] delta : deltas) {
      Arrays.setAll(delta, _ -> Math.scalb(random.nextGaussian(), scale - random.nextInt(10)));
    }
    if (ordinary) {
      for (int e = 0; e < weights.length; e += dtype.bytes()) {
        weights[e + dtype.bytes() - 1] &= (byte) 0xB7; // no large exponents, no NaN
      }
    }
    byte[] expected = weights.clone();
    byte[] actual = weights.clone();
    int first = random.nextInt(4);
    Kernel.Summands summands = new Kernel.Summands(multipliers, deltas, 3);
    int overflow = merge(scalar, dtype, expected, first, count, summands);
    assertThat(merge(vector, dtype, actual, first, count, summands)).isEqualTo(overflow);
    if (overflow < 0) {
      assertThat(actual).isEqualTo(expected);
    }
  }

  /** All weights of 16 bits, with sums on both sides of every rounding boundary. */
  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void everyWeightOf16BitsIsMergedEqually(DType dtype) {
    byte[] weights = new byte[1 << 17];
    for (int bits = 0; bits < 1 << 16; bits++) {
      weights[2 * bits] = (byte) bits;
      weights[2 * bits + 1] = (byte) (bits >>> 8);
    }
    for (double factor : new double[] {0, 0x1p-9, 0x1.8p-9, -0x1p-9, 0x1p-12, 0x1.000002p-9, 1}) {
      double[] delta = new double[1 << 16];
      for (int bits = 0; bits < 1 << 16; bits++) {
        float weight =
            dtype == DType.F16
                ? Float.float16ToFloat((short) bits)
                : Float.intBitsToFloat(bits << 16);
        delta[bits] = Float.isFinite(weight) ? weight * factor : 1;
      }
      for (int start = 0; start < 1 << 16; start += 64) {
        double[][] part = {Arrays.copyOfRange(delta, start, start + 64)};
        byte[] expected = weights.clone();
        byte[] actual = weights.clone();
        Kernel.Summands summands = new Kernel.Summands(new double[] {1}, part, 0);
        int overflow = merge(scalar, dtype, expected, start, 64, summands);
        assertThat(merge(vector, dtype, actual, start, 64, summands)).isEqualTo(overflow);
        if (overflow < 0) {
          assertThat(Arrays.equals(actual, expected)).isTrue();
        }
      }
    }
  }

  private static int merge(
      Kernel kernel, DType dtype, byte[] weights, long first, int count, Kernel.Summands summands) {
    MemorySegment segment = MemorySegment.ofArray(weights);
    return kernel.merge(dtype, segment, segment, first, count, summands);
  }

  private static long[] bits(double[] values) {
    return LongStream.range(0, values.length)
        .map(i -> Double.doubleToLongBits(values[(int) i]))
        .toArray();
  }
}

package dev.nola.trainer.torch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** PyTorch computes the scalar kernel's bits. */
class TorchKernelTest {
  private static final Path VECTORS = Path.of("../format-spec/vectors/valid");

  private final Kernel scalar = Kernels.scalar();
  private final Kernel torch = new TorchKernel();

  private static int[] randomCoefficients(Random random, int count, int bits) {
    int highest = (1 << bits) - 1;
    return random.ints(count, 0, 1 << bits).map(u -> 2 * u - highest).toArray();
  }

  private static int[] largestCoefficients(int count, int bits) {
    int[] coefficients = new int[count];
    java.util.Arrays.fill(coefficients, (1 << bits) - 1);
    return coefficients;
  }

  private void assertSameFactors(Basis basis, int[] coefficients, float scale) {
    float[] expected = new float[basis.length()];
    float[] actual = new float[basis.length()];
    scalar.combine(basis, coefficients, scale, expected);
    torch.combine(basis, coefficients, scale, actual);
    for (int e = 0; e < expected.length; e++) {
      assertThat(Float.floatToRawIntBits(actual[e]))
          .as("element %d of %s", e, basis)
          .isEqualTo(Float.floatToRawIntBits(expected[e]));
    }
  }

  /** Tests boundaries of every parameter, then random shapes; the seed is in the test's name. */
  static Stream<Arguments> shapes() {
    Stream<Arguments> boundaries =
        Stream.of(Generator.values())
            .flatMap(
                generator ->
                    Stream.of(1, 5000)
                        .flatMap(
                            length ->
                                Stream.of(1, 16)
                                    .map(bits -> Arguments.of(generator, length, bits, 170, 1L))));
    Random random = new Random(20261127);
    Stream<Arguments> drawn =
        Stream.generate(
                () ->
                    Arguments.of(
                        Generator.values()[random.nextInt(Generator.values().length)],
                        random.nextInt(1, 5001),
                        random.nextInt(1, 17),
                        random.nextInt(1, 171),
                        random.nextLong()))
            .limit(300);
    return Stream.concat(boundaries, drawn);
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void factorsAreEqualForEveryShapeAndWidth(
      Generator generator, int length, int bits, int limit, long seed) {
    Random random = new Random(seed);
    int stream = random.nextInt();
    Side side = random.nextBoolean() ? Side.A : Side.B;
    int count = coefficients(generator, length, bits, limit);
    float scale = (float) Math.scalb(1 + random.nextDouble(), random.nextInt(-126, 74));
    assertSameFactors(
        new Basis(generator, seed, stream, side, length),
        randomCoefficients(random, count, bits),
        random.nextInt(20) == 0 ? 0 : scale);
  }

  @ParameterizedTest
  @CsvSource({
    "UNIFORM24, 20000, 300, 16", // several tiles, one of them cut
    "UNIFORM8, 8192, 4000, 8", // more coefficients than a tile has rows
    "RADEMACHER, 8193, 128, 1",
    "SRHT, 1048575, 1000, 16", // repeated, several tiles
    "SRHT, 3000000, 1000, 8",
    "SRHT, 1, 1, 4"
  })
  void largeFactorsAreEqual(Generator generator, int length, int count, int bits) {
    int[] coefficients = randomCoefficients(new Random(length), count, bits);
    assertSameFactors(new Basis(generator, 7, 3, Side.A, length), coefficients, 0x1.234p-20f);
  }

  /** Tests sums as close to 2⁵³ as the format allows. */
  @ParameterizedTest
  @MethodSource("generators")
  void largestSumsAreExact(Generator generator) {
    int length = 1 << 12;
    int count = coefficients(generator, length, 16, 8192);
    assertSameFactors(
        new Basis(generator, 1, 1, Side.B, length), largestCoefficients(count, 16), 1);
  }

  /** Returns a legal number of coefficients that is as near as possible to the wanted one. */
  private static int coefficients(Generator generator, int length, int bits, int wanted) {
    return generator == Generator.IDENTITY
        ? length
        : (int) Math.min(wanted, generator.maxCoefficients(length, bits));
  }

  static Stream<Generator> generators() {
    return Stream.of(Generator.values());
  }

  static LongStream seeds() {
    return LongStream.concat(LongStream.of(0, -1), new Random(42).longs(100));
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void adaptersReconstructToTheSameDigests(long seed) throws Exception {
    Random random = new Random(seed);
    Generator generator = Generator.PSEUDORANDOM.get(random.nextInt(4));
    Adapter.Builder adapter = Adapter.builder().generator(generator).seed(random.nextLong());
    int layers = 1 + random.nextInt(4);
    for (int i = 0; i < layers; i++) {
      adapter.layer(layer(random, generator, "layer." + i));
    }
    AdapterFile file = Reconstructor.standard().withKernel(scalar).seal(adapter.build());
    assertThat(Reconstructor.standard().withKernel(torch).verify(file))
        .isEqualTo(Reconstructor.standard().withKernel(scalar).verify(file));
  }

  private static Layer layer(Random random, Generator generator, String name) {
    int rows = 1 + random.nextInt(60);
    int cols = 1 + random.nextInt(60);
    boolean direct = random.nextInt(3) == 0;
    boolean sliced = random.nextBoolean();
    int rank = 1 + random.nextInt(Math.min(rows, cols));
    return new Layer(
        name,
        sliced ? List.of(rows, cols + 3) : List.of(rows, cols),
        sliced ? new Slice(1, random.nextInt(4), cols) : null,
        rows,
        cols,
        random.nextInt(),
        (float) Math.scalb(1 + random.nextDouble(), -20),
        direct
            ? new Direct(codes(random, generator, rows * cols))
            : new LowRank(
                rank,
                codes(random, generator, rows * rank),
                codes(random, generator, rank * cols)));
  }

  private static Codes codes(Random random, Generator generator, int length) {
    int bits = 1 + random.nextInt(16);
    int count =
        1
            + random.nextInt(
                (int) Math.min(length, Math.min(40, generator.maxCoefficients(length, bits))));
    return Codes.of(bits, random.ints(count, 0, 1 << bits).toArray());
  }

  @Test
  void goldenVectorsReconstructToTheirDigests() throws IOException {
    try (Stream<Path> files = Files.list(VECTORS)) {
      List<Path> all = files.toList();
      assertThat(all).hasSizeGreaterThanOrEqualTo(24);
      for (Path path : all) {
        AdapterFile file = AdapterFile.read(path);
        assertThat(Reconstructor.standard().withKernel(torch).verify(file))
            .as(path.toString())
            .isEqualTo(Reconstructor.standard().withKernel(scalar).verify(file));
      }
    }
  }
}

package dev.nola.reconstruct;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Codes;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Hadamard;
import dev.nola.generator.Philox;
import dev.nola.generator.Side;
import dev.nola.kernel.Kernels;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The known answers of SPEC.md, on which independent implementations agreed. */
class KnownAnswersTest {
  private static final long SEED = 0x0123456789abcdefL;

  @Test
  void philoxReturnsTheAnswersOfItsAuthors() {
    int[] words = new int[4];
    Philox.block(0, 0, 0, 0, 0, words);
    assertThat(words).containsExactly(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
    Philox.block(-1, -1, -1, -1, -1, words);
    assertThat(words).containsExactly(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
  }

  @ParameterizedTest
  @CsvSource({
    "UNIFORM24,  68121824 -323675808 -596576384 612281728, a28498eef2aeb5f1",
    "UNIFORM8,   -10370 -28776 -8796 6484,                 a2ae3cc97a2fcf6c",
    "RADEMACHER, -168 -74 62 26,                           05c0a005911991e1",
    "SRHT,       0 -8 150 38,                              c6f682f272662c9f",
  })
  void factorHasTheSpecifiedFirstElementsAndDigest(
      Generator generator, String first, String digest) {
    int[] sixteenCodes = Codes.of(4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15).values();
    int[] coefficients = new int[64];
    Arrays.setAll(coefficients, i -> sixteenCodes[i % 16]);
    float[] factor = new float[1000];
    Basis basis = new Basis(generator, SEED, 5, Side.B, factor.length);

    Kernels.scalar().combine(basis, coefficients, 1, factor);

    assertThat(Arrays.copyOf(factor, 4))
        .containsExactly(Arrays.stream(first.split(" ")).map(Float::valueOf).toArray(Float[]::new));
    assertThat(new TreeHash("").floats(factor, factor.length).finish().hex()).startsWith(digest);
  }

  @Test
  void srhtPicksTheSpecifiedColumns() {
    Basis basis = new Basis(Generator.SRHT, SEED, 5, Side.B, 1000);
    Hadamard hadamard = new Hadamard(basis);
    assertThat(new int[] {hadamard.column(0), hadamard.column(1), hadamard.column(2)})
        .containsExactly(140, 159, 119);
    assertThat(hadamard.column(3)).isEqualTo(343);
  }
}

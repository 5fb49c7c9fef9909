package dev.nola.trainer.coverage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.generator.Generator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The paper's figure 2; interop/reader compares values with numpy's. */
class RankCoverageTest {
  private static final int SIZE = 8;
  private static final int SPACE = SIZE * SIZE;
  private static final int RANK = 4;

  private final RankCoverage coverage = new RankCoverage(Generator.UNIFORM24, 7);

  /** A sum spans as many dimensions as it has terms, a product as many as pairs of terms. */
  @ParameterizedTest
  @CsvSource({"1, 1", "2, 1", "3, 5", "5, 3", "7, 7", "8, 8", "20, 3"})
  void dimensionsAreThoseOfTermsAndPairs(int k, int l) throws Exception {
    assertThat(coverage.pranc(SIZE, k + l)).isEqualTo(Math.min(SPACE, k + l));
    assertThat(coverage.nola(SIZE, RANK, k, l)).isEqualTo(Math.min(SPACE, k * l));
  }

  @Test
  void nolaSaturatesWherePrancGrowsLinearly() throws Exception {
    int before = 0;
    for (int n = 2; n <= SPACE; n += 2) {
      int nola = coverage.nola(SIZE, RANK, n / 2, n / 2);
      assertThat(nola).isGreaterThanOrEqualTo(before);
      if (n >= 2 * SIZE) {
        assertThat(nola).isEqualTo(SPACE);
      }
      assertThat(coverage.pranc(SIZE, n)).isEqualTo(n);
      before = nola;
    }
  }

  /** Vectors of d elements span at most d dimensions, however many are combined. */
  @Test
  void factorsOfRankOne_spanNoMoreThanTheirElements() throws Exception {
    assertThat(coverage.nola(SIZE, 1, 20, 3)).isEqualTo(SIZE * 3);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "IDENTITY")
  void everyGeneratorSpansTheSame(Generator generator) throws Exception {
    RankCoverage drawn = new RankCoverage(generator, 7);
    assertThat(drawn.pranc(SIZE, 12)).isEqualTo(12);
    assertThat(drawn.nola(SIZE, RANK, 6, 6)).isEqualTo(36);
  }

  @Test
  void moreVectorsThanTheGeneratorHas_areRefused() {
    assertThatThrownBy(() -> new RankCoverage(Generator.SRHT, 7).pranc(5, 17))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "invalid number of coefficients: 17; philox-srht has at most 16 for 25 elements");
  }
}

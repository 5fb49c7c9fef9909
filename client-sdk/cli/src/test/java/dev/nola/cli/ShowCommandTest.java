package dev.nola.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShowCommandTest {
  @ParameterizedTest
  @CsvSource({
    "2600, 3600, 72 % of",
    "3600, 3600, 100 % of",
    "3600, 2600, 138 % of",
    "3600, 1500, 2.4 times",
    "1000, 9900, 10 % of",
    "1000, 12300, 1/12 of",
    "30420, 79953920, 1/2628 of"
  })
  void shareOfASize_anySizes_isReadable(long size, long whole, String share) {
    assertThat(ShowCommand.share((double) whole / size, "a LoRA", whole))
        .startsWith(share + " the size of a LoRA in 16 bits, ");
  }
}

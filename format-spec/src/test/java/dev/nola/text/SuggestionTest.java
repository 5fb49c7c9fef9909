package dev.nola.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SuggestionTest {
  private static final List<String> WORDS =
      List.of(
          "train",
          "verify",
          "import-peft",
          "--output",
          "optimizer.learningRate",
          "method.l",
          "method.rank",
          "run.batch",
          "run.steps");

  @ParameterizedTest
  @CsvSource({
    "trian, train",
    "Train, train",
    "verfy, verify",
    "veri, verify",
    "import_peft, import-peft",
    "importpeft, import-peft",
    "--outptu, --output",
    "lr, optimizer.learningRate",
    "learning_rate, optimizer.learningRate",
    "optimizer.lr, optimizer.learningRate",
    "optimiser.learningRate, optimizer.learningRate",
    "batch, run.batch",
    "method.bach, run.batch",
    "rnk, method.rank",
    "frobnicate, none",
    "zz, none",
  })
  void nearestIsTheWordThatWasProbablyMeant(String unknown, String nearest) {
    assertThat(Suggestion.nearest(WORDS, unknown).orElse("none")).isEqualTo(nearest);
  }
}

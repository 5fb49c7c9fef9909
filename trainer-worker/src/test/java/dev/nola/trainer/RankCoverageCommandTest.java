package dev.nola.trainer;

import static dev.nola.trainer.Outcome.nola;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class RankCoverageCommandTest {
  @TempDir private Path folder;

  @Test
  void tableComparesBothMethods() {
    Outcome run = nola("rank-coverage", "--sizes", "4", "--coefficients", "4,5,2+6");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out().lines())
        .containsExactly(
            "size  rank  coefficients  NOLA         PRANC",
            "4×4   4     4 = 2+2       25.0 % (4)   25.0 % (4)",
            "4×4   4     5 = 3+2       37.5 % (6)   31.3 % (5)",
            "4×4   4     8 = 2+6       75.0 % (12)  50.0 % (8)");
  }

  @Test
  void jsonAndPlotHaveEverySizeAndRank() throws Exception {
    Path plot = folder.resolve("coverage.svg");
    JsonNode json =
        nola("rank-coverage", "--sizes", "2,4", "--ranks", "1,2", "--plot", plot, "--json").json();
    assertThat(json.get("generator").asString()).isEqualTo("philox-uniform24");
    assertThat(json.get("points")).hasSize(2 * (2 + 4)); // 2 and 4; 2, 4, 8 and 16 coefficients
    JsonNode last = json.get("points").get(11);
    assertThat(last.get("size").asInt()).isEqualTo(4);
    assertThat(last.get("rank").asInt()).isEqualTo(2);
    assertThat(last.get("k").asInt()).isEqualTo(8);
    assertThat(last.get("l").asInt()).isEqualTo(8);
    assertThat(last.get("nola").get("dimensions").asInt()).isEqualTo(16);
    assertThat(last.get("pranc").get("coverage").asDouble()).isEqualTo(1);
    String svg = Files.readString(plot);
    for (String color : List.of("29,78,216", "194,65,12", "21,128,61", "126,34,206")) {
      assertThat(svg.contains("rgb(" + color + ")")).as("curve of color %s", color).isTrue();
    }
    assertThat(svg.contains("rgb(100,116,139)")).as("a fifth curve").isFalse();
  }

  @Test
  void sizesAndRanksNamedTwice_areMeasuredOnce() {
    Path plot = folder.resolve("coverage.svg");
    Outcome run = nola("rank-coverage", "--sizes", "1,1", "--ranks", "2,2", "--plot", plot);
    assertThat(run.err()).isEmpty();
    assertThat(run.out().lines())
        .containsExactly(
            "size  rank  coefficients  NOLA         PRANC",
            "1×1   2     2 = 1+1       100.0 % (1)  100.0 % (1)");
    assertThat(plot).isNotEmptyFile();
  }

  @Test
  void plotThatCannotBeWritten_isNamedBeforeTheMeasurement() {
    Path missing = folder.resolve("none/coverage.svg");
    Outcome run = nola("rank-coverage", "--plot", missing);
    assertThat(run.exitCode()).isEqualTo(3);
    assertThat(run.err()).contains(missing.toString(), "its parent folder does not exist");
  }

  @ParameterizedTest
  @CsvSource({
    "--sizes, 65, invalid --sizes: 65; must be 1 to 64",
    "--ranks, 0, invalid --ranks: 0; must be 1 to 64",
    "--coefficients, 1, \"'1' is not a number, 2 or more, and not K+L\"",
    "--coefficients, 3+, \"'3+' is not a number, 2 or more, and not K+L\"",
    "--generator, identity, invalid --generator: identity; must be one of philox-uniform24",
  })
  void valuesOutOfRange_areUsageErrors(String option, String value, String message) {
    Outcome run = nola("rank-coverage", option, value);
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains(message.replace("\"", ""));
  }
}

package dev.nola.api.name;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class VersionRangeTest {
  /** The table is made by {@code make-table.js}, which is beside it. */
  @TestFactory
  Stream<DynamicTest> rangeMeansWhatNpmTakesItToMean() throws IOException {
    List<String> lines;
    try (InputStream table = VersionRangeTest.class.getResourceAsStream("/ranges/ranges.tsv")) {
      lines =
          new String(Objects.requireNonNull(table).readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .toList();
    }
    List<String> versions = List.of(lines.get(1).split(" "));
    assertThat(lines.size()).isGreaterThan(170);
    return lines.stream()
        .skip(2)
        .map(line -> line.split("\t", -1))
        .map(
            columns ->
                DynamicTest.dynamicTest(
                    columns[0],
                    () -> assertThat(verdict(columns[0], versions)).isEqualTo(columns[1])));
  }

  private static String verdict(String range, List<String> versions) {
    return VersionRange.find(range)
        .map(found -> String.join(" ", versions.stream().filter(found::includes).toList()))
        .orElse("invalid");
  }

  @Test
  void blankOrLongTextIsNotARange() {
    assertThat(VersionRange.isValid("")).isFalse();
    assertThat(VersionRange.isValid(" ")).isFalse();
    assertThat(VersionRange.isValid("1||".repeat(33))).isTrue();
    assertThat(VersionRange.isValid("1||".repeat(34))).isFalse();
  }

  @Test
  void hugePrereleaseNumbers_compareAsNumbers() {
    VersionRange range = VersionRange.find(">=1.0.0-rc.9 <1.0.0").orElseThrow();

    assertThat(range.includes("1.0.0-rc.99999999999999999999")).isTrue();
    assertThat(range.includes("1.0.0-rc.8")).isFalse();
  }
}

package dev.nola.registry.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.name.VersionNumber;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class VersionNumberTest {
  /** SemVer 2, section 11.4.4. */
  @Test
  void precedenceFollowsTheExampleOfTheSpecification() {
    List<String> ascending =
        List.of(
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "2.0.0",
            "2.1.0",
            "2.1.1",
            "10.0.0");
    assertThat(ascending.stream().map(VersionNumberTest::precedence)).isSorted();
    assertThat(precedence("1.0.0+a")).isEqualTo(precedence("1.0.0+b"));
  }

  @ParameterizedTest(name = "{0} and {1}")
  @MethodSource("pairs")
  void precedenceFollowsTheSpecification(String left, String right) {
    assertThat(Integer.signum(precedence(left).compareTo(precedence(right))))
        .as("%s and %s", left, right)
        .isEqualTo(Integer.signum(compare(left, right)));
  }

  /** Section 11 of the specification, rule by rule. */
  private static int compare(String left, String right) {
    String[] l = left.split("-", 2);
    String[] r = right.split("-", 2);
    int core = compareIdentifiers(l[0].split("\\."), r[0].split("\\."));
    if (core != 0 || (l.length == 1 && r.length == 1)) {
      return core;
    }
    if (l.length != r.length) {
      return l.length == 1 ? 1 : -1; // 11.3: a prerelease comes before its release
    }
    return compareIdentifiers(l[1].split("\\."), r[1].split("\\."));
  }

  private static int compareIdentifiers(String[] left, String[] right) {
    for (int i = 0; i < Math.min(left.length, right.length); i++) {
      boolean numberLeft = left[i].matches("[0-9]+");
      boolean numberRight = right[i].matches("[0-9]+");
      int compared;
      if (numberLeft && numberRight) {
        compared = Long.compare(Long.parseLong(left[i]), Long.parseLong(right[i]));
      } else if (numberLeft || numberRight) {
        compared = numberLeft ? -1 : 1; // 11.4.3
      } else {
        compared = left[i].compareTo(right[i]);
      }
      if (compared != 0) {
        return compared;
      }
    }
    return Integer.compare(left.length, right.length); // 11.4.4
  }

  /** Pairs whose parts are often equal, so that every later rule decides some of them. */
  private static Stream<Arguments> pairs() {
    SplittableRandom random = new SplittableRandom(1);
    return Stream.generate(
            () -> {
              String core = core(random);
              String other = random.nextBoolean() ? core : core(random);
              return Arguments.of(core + prerelease(random), other + prerelease(random));
            })
        .limit(1000);
  }

  private static String core(SplittableRandom random) {
    int[] numbers = {0, 1, 2, 9, 10, 11, 100, Integer.MAX_VALUE};
    return IntStream.generate(() -> numbers[random.nextInt(numbers.length)])
        .limit(3)
        .mapToObj(Integer::toString)
        .collect(Collectors.joining("."));
  }

  private static String prerelease(SplittableRandom random) {
    List<String> identifiers =
        List.of(
            "0", "1", "2", "10", "99", "a", "b", "alpha", "A", "a-b", "-", "x1", "1x", "rc", "0a");
    int count = random.nextInt(4);
    return count == 0
        ? ""
        : Stream.generate(() -> identifiers.get(random.nextInt(identifiers.size())))
            .limit(count)
            .collect(Collectors.joining(".", "-", ""));
  }

  @Test
  void invalidVersionIsRefused() {
    for (String text :
        List.of(
            "",
            "1",
            "1.0",
            "v1.0.0",
            "1.0.0.0",
            "01.0.0",
            "1.0.0-01",
            "1.0.0-",
            "1.0.0-a..b",
            "1.0.0+",
            "1.0.0 ",
            "1.0.0-ä",
            "2147483648.0.0",
            "1.0.0-" + "x".repeat(60),
            "latest")) {
      assertThat(VersionNumber.find(text)).as(text).isEmpty();
    }
  }

  private static String precedence(String version) {
    return VersionNumber.find(version).orElseThrow().precedence();
  }
}

package dev.nola.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Rules.Check;
import dev.nola.vectors.Kinds;
import dev.nola.vectors.VectorFiles;
import java.io.IOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Leaves out each check of the reader in turn and requires that a conformance vector notices:
 * another reader that forgets a rule then fails, too.
 */
class RuleVectorsTest {
  /** Checks that no vector shows, and why. */
  private static final Map<Check, String> REDUNDANT =
      Map.of(
          new Check(Rule.NUMBER_RANGE, "k"),
          "2^31 codes that the codes section has room for are a file of 256 MiB",
          new Check(Rule.NUMBER_RANGE, "l"),
          "2^31 codes that the codes section has room for are a file of 256 MiB");

  private static final List<VectorFiles.Expected> VECTORS = vectors();
  private static final Set<Check> CHECKS = checks();

  private static List<VectorFiles.Expected> vectors() {
    try {
      // The smallest come first, since most checks have one that is small.
      return VectorFiles.all().stream()
          .sorted(Comparator.comparingInt(vector -> vector.bytes().length))
          .toList();
    } catch (IOException e) {
      throw new AssertionError("the vectors are files of this module", e);
    }
  }

  /** Every check that reading the vectors makes. */
  private static Set<Check> checks() {
    Set<Check> made = new HashSet<>();
    for (VectorFiles.Expected vector : VECTORS) {
      outcome(
          vector.bytes(),
          check -> {
            made.add(check);
            return false;
          });
    }
    Set<Check> sorted = new TreeSet<>(Comparator.comparing(Check::rule).thenComparing(Check::part));
    sorted.addAll(made);
    return sorted;
  }

  static Stream<Check> requiredChecks() {
    return CHECKS.stream().filter(check -> !REDUNDANT.containsKey(check));
  }

  @Test
  void vectorsMakeTheReaderCheckEveryRule() {
    assertThat(CHECKS.stream().map(Check::rule)).containsAll(Arrays.asList(Rule.values()));
  }

  @Test
  void rulesBelongToTheSixteenOfTheSpecification() {
    assertThat(Arrays.stream(Rule.values()).map(Rule::number).distinct().sorted())
        .containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
  }

  @ParameterizedTest
  @MethodSource("requiredChecks")
  void leavingOutACheckIsNoticedByAVector(Check check) {
    assertThat(
            VECTORS.stream()
                .anyMatch(vector -> !outcome(vector.bytes(), check::equals).equals(vector.kind())))
        .as("a vector notices that %s is not checked", check)
        .isTrue();
  }

  private static String outcome(byte[] bytes, Rules.Omission omission) {
    return ScopedValue.where(Rules.OMISSION, omission)
        .call(
            () -> {
              try {
                AdapterFile.read(bytes);
                return Kinds.ACCEPTED;
              } catch (AdapterException refused) {
                return Kinds.of(refused);
              } catch (RuntimeException | AssertionError broken) {
                return broken.toString();
              }
            });
  }
}

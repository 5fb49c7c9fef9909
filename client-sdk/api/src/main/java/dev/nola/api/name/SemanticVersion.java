package dev.nola.api.name;

import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What of a version number counts in comparisons: all but its build metadata. Ordered by SemVer's
 * precedence (section 11).
 *
 * @param major the first number
 * @param minor the second number
 * @param patch the third number
 * @param prerelease the identifiers after the hyphen; none for a release
 */
record SemanticVersion(long major, long minor, long patch, List<String> prerelease)
    implements Comparable<SemanticVersion> {
  /** The largest number that npm accepts. */
  static final long MAX_NUMBER = (1L << 53) - 1;

  private static final int MAX_DIGITS = 16;

  static final String NUMBER = "(?:0|[1-9][0-9]*)";
  static final String PRERELEASE = identifiers("(?:[0-9]*[a-zA-Z-][0-9a-zA-Z-]*|" + NUMBER + ")");
  static final String BUILD = "\\+" + identifiers("[0-9a-zA-Z-]+");

  private static final Pattern TEXT =
      Pattern.compile(
          "(%1$s)\\.(%1$s)\\.(%1$s)(?:-(%2$s))?(?:%3$s)?".formatted(NUMBER, PRERELEASE, BUILD));

  private static String identifiers(String identifier) {
    return "%1$s(?:\\.%1$s)*".formatted(identifier);
  }

  /**
   * Finds the version that a text is.
   *
   * @param text any text
   * @return the version, or nothing if the text is not a version number of SemVer 2 with numbers up
   *     to {@link #MAX_NUMBER}
   */
  static Optional<SemanticVersion> find(String text) {
    Matcher matcher = TEXT.matcher(text);
    return matcher.matches()
        ? Optional.of(
                new SemanticVersion(
                    number(matcher.group(1)),
                    number(matcher.group(2)),
                    number(matcher.group(3)),
                    matcher.group(4) == null ? List.of() : List.of(matcher.group(4).split("\\."))))
            .filter(SemanticVersion::isWithinLimits)
        : Optional.empty();
  }

  /**
   * Parses a number of any length.
   *
   * @param digits decimal digits
   * @return the number, or one above {@link #MAX_NUMBER} if it is larger
   */
  static long number(String digits) {
    return digits.length() > MAX_DIGITS ? MAX_NUMBER + 1 : Long.parseLong(digits);
  }

  /**
   * Returns whether npm accepts the numbers.
   *
   * @return whether none is above {@link #MAX_NUMBER}
   */
  boolean isWithinLimits() {
    return major <= MAX_NUMBER && minor <= MAX_NUMBER && patch <= MAX_NUMBER;
  }

  /**
   * Returns whether another version differs in the prerelease only.
   *
   * @param other another version
   * @return whether the three numbers are equal
   */
  boolean hasNumbersOf(SemanticVersion other) {
    return major == other.major && minor == other.minor && patch == other.patch;
  }

  @Override
  public int compareTo(SemanticVersion other) {
    if (!hasNumbersOf(other)) {
      return major != other.major
          ? Long.compare(major, other.major)
          : minor != other.minor
              ? Long.compare(minor, other.minor)
              : Long.compare(patch, other.patch);
    }
    if (prerelease.isEmpty() || other.prerelease.isEmpty()) {
      return Boolean.compare(prerelease.isEmpty(), other.prerelease.isEmpty());
    }
    for (int i = 0; i < Math.min(prerelease.size(), other.prerelease.size()); i++) {
      int compared = compareIdentifiers(prerelease.get(i), other.prerelease.get(i));
      if (compared != 0) {
        return compared;
      }
    }
    return Integer.compare(prerelease.size(), other.prerelease.size());
  }

  private static int compareIdentifiers(String left, String right) {
    if (isNumber(left) && isNumber(right)) {
      return new BigInteger(left).compareTo(new BigInteger(right));
    }
    return isNumber(left) == isNumber(right)
        ? left.compareTo(right)
        : Boolean.compare(isNumber(right), isNumber(left));
  }

  /**
   * Returns whether an identifier is compared as a number.
   *
   * @param identifier an identifier of a prerelease
   * @return whether it consists of digits
   */
  static boolean isNumber(String identifier) {
    return identifier.chars().allMatch(c -> c >= '0' && c <= '9');
  }
}

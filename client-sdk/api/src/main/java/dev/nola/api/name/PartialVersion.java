package dev.nola.api.name;

import dev.nola.api.name.VersionBound.Relation;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A version number in a range, whose parts may be left open: {@code 1.2}, {@code 1.x}, {@code *}.
 *
 * @param major the first number, or {@link #OPEN}
 * @param minor the second number, or {@link #OPEN}
 * @param patch the third number, or {@link #OPEN}
 * @param prerelease the identifiers after the hyphen; none for a release
 */
record PartialVersion(long major, long minor, long patch, List<String> prerelease) {
  private static final long OPEN = -1;
  private static final String PART = "(" + SemanticVersion.NUMBER + "|[xX*])";

  /** Whitespace, {@code v} and {@code =} may come before the numbers. */
  static final String TEXT =
      "[v=\\s]*%1$s(?:\\.%1$s(?:\\.%1$s(?:-(%2$s))?)?)?"
          .formatted(PART, SemanticVersion.PRERELEASE);

  private static final Pattern PATTERN = Pattern.compile(TEXT);

  /**
   * Finds the partial version that a text is.
   *
   * @param text any text without build metadata
   * @return the version, or nothing if the text is not one
   */
  static Optional<PartialVersion> find(String text) {
    Matcher matcher = PATTERN.matcher(text);
    return matcher.matches()
        ? Optional.of(
            new PartialVersion(
                part(matcher.group(1)),
                part(matcher.group(2)),
                part(matcher.group(3)),
                matcher.group(4) == null ? List.of() : List.of(matcher.group(4).split("\\."))))
        : Optional.empty();
  }

  private static long part(@Nullable String text) {
    return text == null || "xX*".contains(text) ? OPEN : SemanticVersion.number(text);
  }

  /**
   * Returns whether no part is open.
   *
   * @return whether all three numbers are there
   */
  boolean isWhole() {
    return !isAnyPatch();
  }

  private boolean isAnyMajor() {
    return major == OPEN;
  }

  private boolean isAnyMinor() {
    return isAnyMajor() || minor == OPEN;
  }

  private boolean isAnyPatch() {
    return isAnyMinor() || patch == OPEN;
  }

  /** A number after an open part: npm refuses it in comparisons, and ignores it elsewhere. */
  private boolean hasNumberAfterOpenPart() {
    return (major == OPEN && minor != OPEN) || (minor == OPEN && patch != OPEN);
  }

  /** Returns the bounds of {@code ^1.2.3}: changes right of the first number that is not 0. */
  List<VersionBound> caret() {
    if (isAnyMajor()) {
      return List.of();
    }
    if (major > 0 || isAnyMinor()) {
      return List.of(lowest(), afterMajor());
    }
    return List.of(
        lowest(), minor > 0 || isAnyPatch() ? afterMinor() : VersionBound.before(0, 0, patch + 1));
  }

  /** Returns the bounds of {@code ~1.2.3}: other patches only. */
  List<VersionBound> tilde() {
    if (isAnyMajor()) {
      return List.of();
    }
    return List.of(lowest(), end());
  }

  /** Returns the lower bound of {@code 1.2 - 2}. */
  List<VersionBound> hyphenStart() {
    return isAnyMajor() ? List.of() : List.of(lowest());
  }

  /** Returns the upper bound of {@code 1 - 2.3}. */
  List<VersionBound> hyphenEnd() {
    if (isAnyMajor()) {
      return List.of();
    }
    return isAnyPatch()
        ? List.of(end())
        : List.of(new VersionBound(Relation.LESS_OR_EQUAL, whole()));
  }

  /**
   * Returns the bounds of a comparison.
   *
   * @param operator such as {@code >=}; nothing for equality
   * @return the bounds; none if every version meets it
   * @throws IllegalArgumentException if it has a number after an open part
   */
  List<VersionBound> compared(String operator) {
    if (hasNumberAfterOpenPart()) {
      throw new IllegalArgumentException("number after an open part: " + this);
    }
    if (isAnyMajor()) {
      return operator.equals("<") || operator.equals(">") ? List.of(VersionBound.NONE) : List.of();
    }
    if (isWhole()) {
      return List.of(new VersionBound(Relation.of(operator), whole()));
    }
    return switch (operator) {
      case "<" -> List.of(VersionBound.before(major, Math.max(minor, 0), 0));
      case "<=" -> List.of(end());
      case ">=" -> List.of(lowest());
      case ">" -> {
        SemanticVersion next = end().version();
        yield List.of(VersionBound.from(next.major(), next.minor(), next.patch()));
      }
      default -> List.of(lowest(), end());
    };
  }

  private SemanticVersion whole() {
    return new SemanticVersion(major, minor, patch, prerelease);
  }

  private VersionBound lowest() {
    return isAnyPatch()
        ? VersionBound.from(major, isAnyMinor() ? 0 : minor, 0)
        : new VersionBound(Relation.GREATER_OR_EQUAL, whole());
  }

  /** Returns the bound after all versions whose major, and minor if it is there, are these. */
  private VersionBound end() {
    return isAnyMinor() ? afterMajor() : afterMinor();
  }

  private VersionBound afterMajor() {
    return VersionBound.before(major + 1, 0, 0);
  }

  private VersionBound afterMinor() {
    return VersionBound.before(major, minor + 1, 0);
  }
}

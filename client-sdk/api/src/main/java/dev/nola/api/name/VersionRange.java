package dev.nola.api.name;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A range of version numbers, such as {@code ^1.2}. It means what npm's {@code semver} takes it to
 * mean with its default options: a prerelease is included only if the range names a prerelease of
 * the same three numbers.
 */
public final class VersionRange {
  private static final int MAX_LENGTH = 100;

  private static final Pattern BUILD = Pattern.compile(SemanticVersion.BUILD);
  private static final Pattern HYPHEN =
      Pattern.compile("(%1$s)\\s+-\\s+(%1$s)".formatted(PartialVersion.TEXT));
  private static final Pattern SPACE_AFTER_OPERATOR = Pattern.compile("([<>]=?|=|~>?|\\^)\\s+");
  private static final Pattern COMPARISON = Pattern.compile("(\\^|~>?|[<>]=?|=|)(.*)");
  private static final Pattern STAR = Pattern.compile("[<>]?=?\\*");

  private final List<List<VersionBound>> alternatives;

  private VersionRange(List<List<VersionBound>> alternatives) {
    this.alternatives = alternatives;
  }

  /**
   * Finds the range that a text means.
   *
   * @param text any text
   * @return the range, or nothing if the text is blank, not a range or has more than 100 characters
   */
  public static Optional<VersionRange> find(String text) {
    if (text.isBlank() || text.length() > MAX_LENGTH) {
      return Optional.empty();
    }
    try {
      List<List<VersionBound>> alternatives = new ArrayList<>();
      for (String alternative : text.split("\\|\\|", -1)) {
        alternatives.add(bounds(BUILD.matcher(alternative.strip()).replaceAll("")));
      }
      // For npm, an alternative that includes every release makes the others void.
      return Optional.of(
          new VersionRange(
              alternatives.contains(List.of()) ? List.of(List.of()) : List.copyOf(alternatives)));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static List<VersionBound> bounds(String text) {
    return written(text).stream()
        .filter(bound -> !bound.equals(VersionBound.from(0, 0, 0)))
        .toList();
  }

  private static List<VersionBound> written(String text) {
    Matcher hyphen = HYPHEN.matcher(text);
    if (hyphen.matches()) {
      // The first group is the whole of the first version, and its four parts follow.
      PartialVersion end = partial(hyphen.group(6));
      if (end.prerelease().isEmpty()) {
        requireNoEqualsSign(end, hyphen.group(6));
      }
      PartialVersion start = partial(hyphen.group(1));
      requireNoEqualsSign(start, hyphen.group(1));
      List<VersionBound> bounds = new ArrayList<>(start.hyphenStart());
      bounds.addAll(end.hyphenEnd());
      return bounds;
    }
    List<VersionBound> bounds = new ArrayList<>();
    for (String comparison :
        SPACE_AFTER_OPERATOR.matcher(text).replaceAll("$1").split("\\s+", -1)) {
      bounds.addAll(comparison(comparison));
    }
    return bounds;
  }

  private static List<VersionBound> comparison(String text) {
    if (text.isEmpty()) {
      return List.of();
    }
    Matcher matcher = COMPARISON.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(text);
    }
    String operator = matcher.group(1);
    Optional<PartialVersion> version = PartialVersion.find(matcher.group(2));
    if (version.isEmpty() && STAR.matcher(text).find()) {
      return comparison(STAR.matcher(text).replaceFirst("")); // npm ignores a star anywhere
    }
    PartialVersion partial = version.orElseThrow(() -> new IllegalArgumentException(text));
    return switch (operator) {
      case "^" -> partial.caret();
      case "~", "~>" -> partial.tilde();
      default -> {
        requireNoEqualsSign(partial, matcher.group(2));
        yield partial.compared(operator);
      }
    };
  }

  /** Refuses {@code ==1.2.3}, which npm refuses although it accepts {@code ==1.2}. */
  private static void requireNoEqualsSign(PartialVersion version, String text) {
    if (version.isWhole() && text.contains("=")) {
      throw new IllegalArgumentException(text);
    }
  }

  private static PartialVersion partial(String text) {
    return PartialVersion.find(text).orElseThrow(() -> new IllegalArgumentException(text));
  }

  /**
   * Returns whether a text is a range.
   *
   * @param text any text
   * @return whether {@link #find} finds one
   */
  public static boolean isValid(String text) {
    return find(text).isPresent();
  }

  /**
   * Returns whether a version is within this range.
   *
   * @param version a version number
   * @return whether it is
   */
  public boolean includes(String version) {
    return SemanticVersion.find(version)
        .filter(found -> alternatives.stream().anyMatch(bounds -> includes(bounds, found)))
        .isPresent();
  }

  private static boolean includes(List<VersionBound> bounds, SemanticVersion version) {
    return bounds.stream().allMatch(bound -> bound.includes(version))
        && (version.prerelease().isEmpty()
            || bounds.stream()
                .map(VersionBound::version)
                .anyMatch(named -> !named.prerelease().isEmpty() && named.hasNumbersOf(version)));
  }
}

package dev.nola.api.name;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A version number of SemVer 2.
 *
 * @param text as it was given
 * @param precedence compares, character by character, as SemVer's precedence does (section 11), so
 *     that a database can order by it; versions that differ in build metadata only have the same
 * @param prerelease whether it is one
 */
public record VersionNumber(String text, String precedence, boolean prerelease) {
  private static final int MAX_LENGTH = 64;
  private static final String AFTER_PRERELEASES = "~";

  /**
   * Parses a version number.
   *
   * @param text such as {@code 1.4.0}
   * @return the number
   * @throws IllegalArgumentException if the text breaks {@link NameRule#VERSION}
   */
  public static VersionNumber parse(String text) {
    return find(text)
        .orElseThrow(() -> new IllegalArgumentException(NameRule.VERSION.message(text)));
  }

  /**
   * Returns whether a text is a version number.
   *
   * @param text any text
   * @return whether {@link #find} finds one
   */
  public static boolean isValid(String text) {
    return semantic(text).isPresent();
  }

  /**
   * Finds the version number that a text is.
   *
   * @param text any text
   * @return the number, or nothing if the text breaks {@link NameRule#VERSION}
   */
  public static Optional<VersionNumber> find(String text) {
    return semantic(text).map(version -> of(text, version));
  }

  private static Optional<SemanticVersion> semantic(String text) {
    return text.length() > MAX_LENGTH
        ? Optional.empty()
        : SemanticVersion.find(text)
            .filter(
                version ->
                    Math.max(version.major(), Math.max(version.minor(), version.patch()))
                        <= Integer.MAX_VALUE);
  }

  private static VersionNumber of(String text, SemanticVersion version) {
    List<String> prerelease = version.prerelease();
    StringBuilder precedence = new StringBuilder();
    precedence.append(
        String.format(
            Locale.ROOT, "%010d.%010d.%010d", version.major(), version.minor(), version.patch()));
    if (prerelease.isEmpty()) {
      precedence.append(AFTER_PRERELEASES);
    }
    for (String identifier : prerelease) {
      // A space comes before every character of an identifier, so that fewer come before more.
      precedence.append(' ').append(orderable(identifier));
    }
    return new VersionNumber(text, precedence.toString(), !prerelease.isEmpty());
  }

  /** Numbers come before words, and shorter numbers before longer ones. */
  private static String orderable(String identifier) {
    return SemanticVersion.isNumber(identifier)
        ? String.format(Locale.ROOT, "0%02d%s", identifier.length(), identifier)
        : "1" + identifier;
  }

  /**
   * Returns the release whose patch number is one higher.
   *
   * @return the number
   * @throws IllegalArgumentException if the patch number is the highest
   */
  public VersionNumber nextPatch() {
    SemanticVersion version = semantic(text).orElseThrow();
    return parse("%d.%d.%d".formatted(version.major(), version.minor(), version.patch() + 1));
  }

  @Override
  public String toString() {
    return text;
  }
}

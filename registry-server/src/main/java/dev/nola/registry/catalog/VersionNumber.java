package dev.nola.registry.catalog;

import java.util.List;
import java.util.Optional;
import org.semver4j.Semver;

/**
 * A version number of SemVer 2.
 *
 * @param text as it was given
 * @param precedence compares, character by character, as SemVer's precedence does (section 11), so
 *     that a database can order by it; versions that differ in build metadata only have the same
 * @param prerelease whether it is one
 */
record VersionNumber(String text, String precedence, boolean prerelease) {
  static final String RULE =
      "must be a version number of SemVer 2, such as 1.4.0 or 2.0.0-rc.1, of at most 64 characters,"
          + " with numbers up to 2147483647";

  private static final int MAX_LENGTH = 64;
  private static final String AFTER_PRERELEASES = "~";

  static Optional<VersionNumber> parse(String text) {
    Semver semver = text.length() > MAX_LENGTH ? null : Semver.parse(text);
    if (semver == null || !semver.getVersion().equals(text)) { // it takes spaces and a v
      return Optional.empty();
    }
    List<String> prerelease = semver.getPreRelease();
    StringBuilder precedence = new StringBuilder();
    precedence.append(
        "%010d.%010d.%010d".formatted(semver.getMajor(), semver.getMinor(), semver.getPatch()));
    if (prerelease.isEmpty()) {
      precedence.append(AFTER_PRERELEASES);
    }
    for (String identifier : prerelease) {
      // A space comes before every character of an identifier, so that fewer come before more.
      precedence.append(' ').append(orderable(identifier));
    }
    return Optional.of(new VersionNumber(text, precedence.toString(), !prerelease.isEmpty()));
  }

  /** Numbers come before words, and shorter numbers before longer ones. */
  private static String orderable(String identifier) {
    boolean number = identifier.chars().allMatch(c -> c >= '0' && c <= '9');
    return number ? "0%02d%s".formatted(identifier.length(), identifier) : "1" + identifier;
  }

  @Override
  public String toString() {
    return text;
  }
}

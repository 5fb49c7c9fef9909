package dev.nola.api.name;

import java.util.Optional;
import org.semver4j.Semver;
import org.semver4j.range.RangeList;
import org.semver4j.range.RangeListFactory;

/** A range of version numbers, as npm writes them, such as {@code ^1.2}. */
public final class VersionRange {
  private static final int MAX_LENGTH = 100;

  private final RangeList range;

  private VersionRange(RangeList range) {
    this.range = range;
  }

  /**
   * Finds the range that a text means.
   *
   * @param text any text
   * @return the range, or nothing if the text is not a range or has more than 100 characters
   */
  public static Optional<VersionRange> find(String text) {
    if (text.isBlank() || text.length() > MAX_LENGTH) {
      return Optional.empty();
    }
    try {
      RangeList range = RangeListFactory.create(text);
      return range.get().isEmpty() ? Optional.empty() : Optional.of(new VersionRange(range));
    } catch (RuntimeException _) {
      return Optional.empty(); // such as numbers that do not fit, for which it has no refusal
    }
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
   * @return whether it is; false if the range compares prereleases and that of the version has a
   *     number above 2147483647
   */
  public boolean includes(String version) {
    try {
      return new Semver(version).satisfies(range);
    } catch (RuntimeException _) {
      return false; // one version that cannot be compared must not hide all others
    }
  }
}

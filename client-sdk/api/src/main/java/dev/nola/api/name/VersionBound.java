package dev.nola.api.name;

import java.util.List;

/**
 * A condition on versions.
 *
 * @param relation how a version must compare
 * @param version with which version
 */
record VersionBound(Relation relation, SemanticVersion version) {
  /** Includes no version. */
  static final VersionBound NONE = before(0, 0, 0);

  /** A comparison. */
  enum Relation {
    LESS,
    LESS_OR_EQUAL,
    EQUAL,
    GREATER_OR_EQUAL,
    GREATER;

    /**
     * Returns the relation of an operator.
     *
     * @param operator one of {@code <}, {@code <=}, {@code =}, {@code >=}, {@code >}, or nothing
     * @return the relation
     */
    static Relation of(String operator) {
      return switch (operator) {
        case "<" -> LESS;
        case "<=" -> LESS_OR_EQUAL;
        case ">=" -> GREATER_OR_EQUAL;
        case ">" -> GREATER;
        default -> EQUAL;
      };
    }
  }

  /**
   * Checks the version.
   *
   * @throws IllegalArgumentException if one of its numbers is too large
   */
  VersionBound {
    if (!version.isWithinLimits()) {
      throw new IllegalArgumentException("numbers too large: " + version);
    }
  }

  /** Returns the bound that includes a release and everything after it. */
  static VersionBound from(long major, long minor, long patch) {
    return new VersionBound(
        Relation.GREATER_OR_EQUAL, new SemanticVersion(major, minor, patch, List.of()));
  }

  /** Returns the bound that excludes a release, its prereleases and everything after it. */
  static VersionBound before(long major, long minor, long patch) {
    return new VersionBound(Relation.LESS, new SemanticVersion(major, minor, patch, List.of("0")));
  }

  /**
   * Returns whether a version meets the condition.
   *
   * @param candidate the version
   * @return whether it does
   */
  boolean includes(SemanticVersion candidate) {
    int compared = candidate.compareTo(version);
    return switch (relation) {
      case LESS -> compared < 0;
      case LESS_OR_EQUAL -> compared <= 0;
      case EQUAL -> compared == 0;
      case GREATER_OR_EQUAL -> compared >= 0;
      case GREATER -> compared > 0;
    };
  }
}

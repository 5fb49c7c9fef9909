package dev.nola.client.registry;

import dev.nola.digest.Sha256;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.semver4j.Semver;
import org.semver4j.range.RangeListFactory;

/**
 * A version of an adapter, as people refer to it: {@code acme/mood} (its latest version), {@code
 * acme/mood@1.2.0} (a version number of SemVer 2), {@code acme/mood@prod} (an alias), {@code
 * acme/mood@^1.2} (the highest version within a range, as npm writes them), or {@code
 * acme/mood@sha256:…} (the digest of its file).
 *
 * @param adapter the adapter
 * @param version {@code latest}, or what stands behind the {@code @}
 */
public record Reference(AdapterName adapter, String version) {
  /** The highest release, or the highest prerelease of an adapter without a release. */
  public static final String LATEST = "latest";

  private static final Pattern ALIAS = Pattern.compile("[a-z][a-z0-9-]{0,38}");
  private static final Pattern RANGE = Pattern.compile("[0-9A-Za-z.+*^~<>=| -]{1,100}");
  private static final String DIGEST = "sha256:";
  private static final int MAX_VERSION = 64;

  /**
   * Checks the version.
   *
   * @throws IllegalArgumentException if it is none of what a version may be referred to by
   */
  public Reference {
    if (version.startsWith(DIGEST)) {
      Sha256.parse(version);
    } else if (!ALIAS.matcher(version).matches() && !isNumber(version) && !isRange(version)) {
      throw new IllegalArgumentException(
          "version \"%s\", must be a version number such as 1.2.0, an alias such as prod, a range such as ^1.2, or sha256: and 64 hex digits"
              .formatted(version));
    }
  }

  /**
   * Reads {@code namespace/name} or {@code namespace/name@version}.
   *
   * @throws IllegalArgumentException if the text is anything else
   */
  public static Reference parse(String text) {
    int at = text.indexOf('@');
    return at < 0
        ? new Reference(AdapterName.parse(text), LATEST)
        : new Reference(AdapterName.parse(text.substring(0, at)), text.substring(at + 1));
  }

  /** Whether this can never mean another file: it is a version number or a digest. */
  public boolean isPinned() {
    return version.startsWith(DIGEST) || isNumber(version);
  }

  /** The digest that this asks for, or null if it is no digest. */
  public @Nullable Sha256 digest() {
    return version.startsWith(DIGEST) ? Sha256.parse(version) : null;
  }

  /** Whether a text is a version number that a registry takes. */
  static boolean isNumber(String text) {
    Semver semver = text.length() > MAX_VERSION ? null : Semver.parse(text);
    return semver != null && semver.getVersion().equals(text); // it takes spaces and a v
  }

  /**
   * Insists on a version number.
   *
   * @throws IllegalArgumentException if it is none
   */
  static void requireNumber(String text) {
    if (!isNumber(text)) {
      throw new IllegalArgumentException(
          "version=%s, must be a version number of SemVer 2, such as 1.4.0 or 2.0.0-rc.1, of at most 64 characters, with numbers up to 2147483647"
              .formatted(text));
    }
  }

  /**
   * Insists on what an alias may be called.
   *
   * @throws IllegalArgumentException if it may not
   */
  static void requireAlias(String text) {
    if (!ALIAS.matcher(text).matches() || text.equals(LATEST) || isRange(text)) {
      throw new IllegalArgumentException(
          "alias=%s, must be 1 to 39 of a-z, 0-9 and hyphen, the first a letter, and neither 'latest' nor a range of versions"
              .formatted(text));
    }
  }

  private static boolean isRange(String text) {
    return RANGE.matcher(text).matches()
        && !text.isBlank()
        && !RangeListFactory.create(text).get().isEmpty();
  }

  @Override
  public String toString() {
    return version.equals(LATEST) ? adapter.toString() : adapter + "@" + version;
  }
}

package dev.nola.api.name;

import dev.nola.digest.Sha256;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A version of an adapter, as people refer to it: {@code acme/mood} (its latest version), {@code
 * acme/mood@1.2.0} (a version number of SemVer 2), {@code acme/mood@prod} (an alias), {@code
 * acme/mood@^1.2} (the highest version within a range, as npm writes them), or {@code
 * acme/mood@sha256:…} (the digest of its file).
 *
 * @param adapter the adapter
 * @param version {@code latest}, or the text after the {@code @}
 */
public record Reference(AdapterName adapter, String version) {
  /** The highest release, or the highest prerelease of an adapter without a release. */
  public static final String LATEST = "latest";

  /** Characters of ranges; nothing that could mean something else in a URL. */
  private static final Pattern RANGE = Pattern.compile("[0-9A-Za-z.+*^~<>=| -]+");

  private static final String DIGEST = "sha256:";

  /**
   * Checks the version.
   *
   * @throws IllegalArgumentException if it is not a reference to a version
   */
  public Reference {
    if (version.startsWith(DIGEST)) {
      Sha256.parse(version);
    } else if (!NameRule.isWord(version) && !VersionNumber.isValid(version) && !isRange(version)) {
      throw new IllegalArgumentException(
          "invalid version: %s; must be a version number such as 1.2.0, an alias such as prod, a range such as ^1.2, or sha256: and 64 hex digits"
              .formatted(version));
    }
  }

  /**
   * Parses a reference.
   *
   * @param text {@code namespace/name} or {@code namespace/name@version}
   * @return the reference
   * @throws IllegalArgumentException if the text is anything else
   */
  public static Reference parse(String text) {
    int separator = text.indexOf('@');
    return separator < 0
        ? new Reference(AdapterName.parse(text), LATEST)
        : new Reference(
            AdapterName.parse(text.substring(0, separator)), text.substring(separator + 1));
  }

  /**
   * Returns whether this can never mean another file.
   *
   * @return whether it names a version number or a digest
   */
  public boolean isPinned() {
    return version.startsWith(DIGEST) || VersionNumber.isValid(version);
  }

  /**
   * Returns the digest of the referenced file.
   *
   * @return the digest, or null if this names a version, an alias or a range
   */
  public @Nullable Sha256 digest() {
    return version.startsWith(DIGEST) ? Sha256.parse(version) : null;
  }

  private static boolean isRange(String text) {
    return RANGE.matcher(text).matches() && VersionRange.isValid(text);
  }

  @Override
  public String toString() {
    return version.equals(LATEST) ? adapter.toString() : adapter + "@" + version;
  }
}

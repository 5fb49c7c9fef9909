package dev.nola.cli;

import dev.nola.api.name.Reference;

/** Reads arguments {@code NAMESPACE/NAME@VERSION} that require a version number. */
final class NumberedVersion {
  private NumberedVersion() {}

  /**
   * Reads a reference by version number.
   *
   * @param text what the user typed
   * @return the reference
   * @throws IllegalArgumentException if the version is missing, or is an alias, a range or a digest
   */
  static Reference parse(String text) {
    Reference reference = Reference.parse(text);
    if (!reference.isPinned() || reference.digest() != null) {
      throw new IllegalArgumentException(
          "%s: %s; must be NAMESPACE/NAME@VERSION with a version number such as 1.0.0"
              .formatted(text.contains("@") ? "invalid version" : "missing version", text));
    }
    return reference;
  }
}

package dev.nola.format;

/** The rules that every text in a file obeys. */
final class Text {
  private Text() {}

  /**
   * Requires a name: {@code minBytes} to {@link Limits#NAME_BYTES} bytes of UTF-8, no control
   * characters.
   */
  static void requireName(String what, String text, int minBytes) {
    require(what, text, minBytes, Limits.NAME_BYTES, true);
  }

  /** Requires free text: {@code minBytes} to {@link Limits#TEXT_BYTES} bytes of UTF-8. */
  static void requireText(String what, String text, int minBytes) {
    require(what, text, minBytes, Limits.TEXT_BYTES, false);
  }

  /** Checks in one pass, because a file may have many names. */
  private static void require(String what, String text, int min, int max, boolean isName) {
    // A text has at least as many bytes of UTF-8 as characters of UTF-16.
    int bytes = text.length() > max ? text.length() : 0;
    for (int i = 0; i < text.length() && bytes <= max; i++) {
      char c = text.charAt(i);
      if (isName && (c < 0x20 || c == 0x7F)) {
        throw new IllegalArgumentException(
            "control character in %s: U+%04X at position %d; names must not contain any"
                .formatted(what, (int) c, i));
      }
      if (c < 0x80) {
        bytes++;
      } else if (!Character.isSurrogate(c)) {
        bytes += c < 0x800 ? 2 : 3;
      } else if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        bytes += 4;
        i++;
      } else {
        throw new IllegalArgumentException(
            "unpaired surrogate in %s: U+%04X at position %d; text must be valid Unicode"
                .formatted(what, (int) c, i));
      }
    }
    if (bytes < min) {
      throw new IllegalArgumentException("empty " + what + "; must have at least one character");
    }
    if (bytes > max) {
      throw new LimitExcess(
          "%s too long: %d bytes of UTF-8 or more; limit is %d".formatted(what, bytes, max));
    }
  }
}

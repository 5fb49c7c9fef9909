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

  /** One pass, because a file may have many names. */
  private static void require(String what, String text, int min, int max, boolean isName) {
    // What is longer in UTF-16 is longer in UTF-8 too.
    int bytes = text.length() > max ? text.length() : 0;
    for (int i = 0; i < text.length() && bytes <= max; i++) {
      char c = text.charAt(i);
      if (isName && (c < 0x20 || c == 0x7F)) {
        throw new IllegalArgumentException(
            "%s has control character U+%04X at position %d".formatted(what, (int) c, i));
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
            "%s has an unpaired surrogate U+%04X at position %d".formatted(what, (int) c, i));
      }
    }
    if (bytes < min) {
      throw new IllegalArgumentException(what + " must not be empty");
    }
    if (bytes > max) {
      throw new LimitExcess(
          "%s has %d bytes of UTF-8 or more, limit is %d".formatted(what, bytes, max));
    }
  }
}

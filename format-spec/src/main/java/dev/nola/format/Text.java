package dev.nola.format;

import java.nio.charset.StandardCharsets;

/** The rules that every text in a file obeys. */
final class Text {
  private Text() {}

  /**
   * Requires a name: {@code minBytes} to {@link Limits#NAME_BYTES} bytes of UTF-8 without control
   * characters.
   */
  static void requireName(String what, String text, int minBytes) {
    requireLength(what, text, minBytes, Limits.NAME_BYTES);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < 0x20 || c == 0x7F) {
        throw new IllegalArgumentException(
            "%s has control character U+%04X at position %d".formatted(what, (int) c, i));
      }
    }
  }

  /** Requires free text: {@code minBytes} to {@link Limits#TEXT_BYTES} bytes of UTF-8. */
  static void requireText(String what, String text, int minBytes) {
    requireLength(what, text, minBytes, Limits.TEXT_BYTES);
  }

  private static void requireLength(String what, String text, int min, int max) {
    int bytes = utf8Length(what, text, max);
    if (bytes < min) {
      throw new IllegalArgumentException(what + " must not be empty");
    }
    if (bytes > max) {
      throw new LimitExcess("%s has %d bytes of UTF-8, limit is %d".formatted(what, bytes, max));
    }
  }

  private static int utf8Length(String what, String text, int max) {
    // A text longer than the limit in UTF-16 is longer in UTF-8 too; counting it again would only
    // cost time.
    if (text.length() > max) {
      return text.length();
    }
    int bytes = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        bytes += 4;
        i++;
      } else if (Character.isSurrogate(c)) {
        throw new IllegalArgumentException(
            "%s has an unpaired surrogate U+%04X at position %d".formatted(what, (int) c, i));
      } else {
        bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
      }
    }
    return bytes;
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}

package dev.nola.format;

/** The rules that every text in a file obeys. */
final class Text {
  private Text() {}

  /**
   * Requires a name: at most {@link Limits#NAME_BYTES} bytes of UTF-8, no control characters.
   *
   * @param what names the text in messages
   * @param minBytes 1, or 0 if the text may be empty
   */
  static void requireName(String what, String text, int minBytes) {
    requireNameLength(what, text);
    if (minBytes > 0) {
      if (Rules.isBroken(Rule.NOT_EMPTY, what, !text.isEmpty())) {
        throw new RuleViolation(
            Rule.NOT_EMPTY, "empty " + what + "; must have at least one character");
      }
    }
    int control = firstControlCharacter(text);
    if (Rules.isBroken(Rule.NO_CONTROL_CHARACTER, what, control < 0)) {
      throw new RuleViolation(
          Rule.NO_CONTROL_CHARACTER,
          "control character in %s: U+%04X at position %d; names must not contain any"
              .formatted(what, (int) text.charAt(control), control));
    }
  }

  /** Requires at most {@link Limits#NAME_BYTES} bytes of UTF-8. */
  static void requireNameLength(String what, String text) {
    requireLength(what, text, Limits.NAME_BYTES);
  }

  /** Requires at most {@link Limits#TEXT_BYTES} bytes of UTF-8. */
  static void requireTextLength(String what, String text) {
    requireLength(what, text, Limits.TEXT_BYTES);
  }

  private static void requireLength(String what, String text, int limit) {
    long bytes = utf8Bytes(what, text);
    if (Rules.isBroken(Rule.TEXT_LIMIT, what, bytes <= limit)) {
      throw new RuleViolation(
          Rule.TEXT_LIMIT,
          "%s too long: %d bytes of UTF-8; limit is %d".formatted(what, bytes, limit));
    }
  }

  private static int firstControlCharacter(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < 0x20 || c == 0x7F) {
        return i;
      }
    }
    return -1;
  }

  private static long utf8Bytes(String what, String text) {
    long bytes = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
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
    return bytes;
  }
}

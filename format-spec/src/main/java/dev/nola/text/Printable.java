package dev.nola.text;

import java.util.regex.Pattern;

/**
 * Keeps text that strangers may have written from acting on a terminal, a log or a page: control
 * characters, invisible format characters (among them those that reverse the direction of text) and
 * the line and paragraph separators of Unicode.
 */
public final class Printable {
  private static final Pattern CONTROL = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]+");

  private static final Pattern CONTROL_WITHIN_LINES =
      Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}&&[^\\n\\t]]+");

  private Printable() {}

  /**
   * Returns whether a character may act on what displays it; true for line feeds and tabs, too.
   *
   * @param codePoint a Unicode code point, or one half of a surrogate pair
   * @return whether it is a control or format character, or a line or paragraph separator
   */
  public static boolean isControl(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }

  /**
   * Returns a text as one line that is safe to print.
   *
   * @param text any text
   * @return the text with a space for each run of control characters
   */
  public static String line(String text) {
    return CONTROL.matcher(text).replaceAll(" ");
  }

  /**
   * Returns a text that is safe to print where it may have several lines, such as the trace of an
   * exception.
   *
   * @param text any text
   * @return the text with a space for each run of control characters, but with its line feeds and
   *     tabs
   */
  public static String lines(String text) {
    return CONTROL_WITHIN_LINES.matcher(text).replaceAll(" ");
  }

  /**
   * Returns a text as one line that shows its control characters.
   *
   * @param text any text, such as the name of a tensor
   * @return the text with the escape of JSON for each control character
   */
  public static String escaped(String text) {
    StringBuilder escaped = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            character -> {
              if (!isControl(character)) {
                escaped.appendCodePoint(character);
                return;
              }
              for (char unit : Character.toChars(character)) {
                escaped.append("\\u%04x".formatted((int) unit));
              }
            });
    return escaped.toString();
  }
}

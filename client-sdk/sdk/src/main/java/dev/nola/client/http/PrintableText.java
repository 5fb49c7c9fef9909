package dev.nola.client.http;

/** Text from a registry, made fit to be shown. */
public final class PrintableText {
  private static final int MAX_LENGTH = 2_000;

  private PrintableText() {}

  /**
   * Returns a text in one line, of limited length, and without characters that control a terminal.
   *
   * @param text the text
   * @return the printable text
   */
  public static String of(String text) {
    String clean = text.replaceAll("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]+", " ").strip();
    return clean.length() <= MAX_LENGTH ? clean : clean.substring(0, MAX_LENGTH) + "…";
  }
}

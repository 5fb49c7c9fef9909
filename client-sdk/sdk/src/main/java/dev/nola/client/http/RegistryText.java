package dev.nola.client.http;

import dev.nola.text.Printable;

/** Text from a registry, which may be hostile, made fit to be shown. */
public final class RegistryText {
  private static final int MAX_LENGTH = 2_000;

  private RegistryText() {}

  /**
   * Returns a text in one line, of limited length, and without characters that control a terminal.
   *
   * @param text the text
   * @return the printable text
   */
  public static String printable(String text) {
    String clean = Printable.line(text).strip();
    return clean.length() <= MAX_LENGTH ? clean : clean.substring(0, MAX_LENGTH) + "…";
  }
}

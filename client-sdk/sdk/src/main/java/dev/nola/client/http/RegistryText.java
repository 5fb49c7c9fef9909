package dev.nola.client.http;

import dev.nola.text.Printable;
import java.util.regex.Pattern;

/** Text from a registry, which may be hostile or secret, made fit to be shown. */
public final class RegistryText {
  private static final int MAX_LENGTH = 2_000;

  /** Where a URL's query or fragment begins. */
  private static final Pattern QUERY = Pattern.compile("[?#].*", Pattern.DOTALL);

  /** Up to the last @: an invalid URL's password may contain a slash. */
  private static final Pattern USER = Pattern.compile("//.*@", Pattern.DOTALL);

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

  /**
   * Returns the origin and path of a URL, without its query, which may be a signature, and without
   * its user, which may be a login.
   *
   * @param url a URL, perhaps invalid
   * @return the printable text, with an ellipsis in place of the user
   */
  public static String place(String url) {
    return printable(USER.matcher(QUERY.matcher(url).replaceFirst("")).replaceFirst("//…@"));
  }
}

package dev.nola.client.http;

import dev.nola.text.Printable;
import java.util.regex.Pattern;

/** Text from a registry, which may be hostile or secret, made fit to be shown. */
public final class RegistryText {
  private static final int MAX_LENGTH = 2_000;

  /** Where a URL's query or fragment begins. */
  private static final Pattern QUERY = Pattern.compile("[?#].*", Pattern.DOTALL);

  private static final Pattern USER = Pattern.compile("//[^/]*@");

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
   * Returns the origin and path of a URL: its query may be a signature that opens what it names,
   * and its user a login.
   *
   * @param url a URL, perhaps invalid
   * @return the printable text without them
   */
  public static String place(String url) {
    return printable(USER.matcher(QUERY.matcher(url).replaceFirst("")).replaceFirst("//"));
  }
}

package dev.nola.registry.web;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * The position after a page of a list: the sort key of its last row, as an opaque text.
 *
 * @param kind of the list and its order, so that a cursor is not used with another
 * @param key parts of the sort key
 */
public record Cursor(String kind, List<String> key) {
  private static final String SEPARATOR = "\u001f"; // in none of the names that are keys

  /** Copies the key. */
  public Cursor {
    key = List.copyOf(key);
  }

  /**
   * Parses the text of a cursor.
   *
   * @param text as {@link #toString} writes it
   * @param kind of the list
   * @param length number of parts of the key
   * @return the cursor
   * @throws Refusal with status 422 if it is not a cursor of this kind
   */
  public static Cursor parse(String text, String kind, int length) {
    try {
      String decoded = new String(Base64.getUrlDecoder().decode(text), StandardCharsets.UTF_8);
      List<String> parts = new ArrayList<>(List.of(decoded.split(SEPARATOR, -1)));
      if (parts.removeFirst().equals(kind) && parts.size() == length) {
        return new Cursor(kind, parts);
      }
    } catch (IllegalArgumentException _) {
      // no base64: refused below
    }
    throw foreign(text);
  }

  /**
   * Returns a part of the key that is a number.
   *
   * @param part index of the part, from 0
   * @return its value
   * @throws Refusal with status 422 if it is not a number
   */
  public long number(int part) {
    try {
      return Long.parseLong(key.get(part));
    } catch (NumberFormatException _) {
      throw foreign(toString());
    }
  }

  private static Refusal foreign(String text) {
    return Refusal.invalid(
        "cursor",
        "invalid cursor: "
            + Refusal.shown(text)
            + "; must be the value of next from the same list with the same order");
  }

  @Override
  public String toString() {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(
            (kind + SEPARATOR + String.join(SEPARATOR, key)).getBytes(StandardCharsets.UTF_8));
  }
}

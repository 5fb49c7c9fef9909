package dev.nola.registry.web;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * Where a page of a list ended: the sort key of its last row, as text that callers need not
 * understand.
 *
 * @param kind of the list and its order, so that a cursor is not used with another
 */
public record Cursor(String kind, List<String> key) {
  private static final String SEPARATOR = "\u001f"; // in none of the names that are keys

  /** Copies the key. */
  public Cursor {
    key = List.copyOf(key);
  }

  /**
   * Reads what {@link #toString} wrote.
   *
   * @param length parts of the key
   * @throws Refusal if it is not a cursor of this kind
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
   * A part of the key that is a number.
   *
   * @throws Refusal if it is none
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
        "cursor", "cursor=" + text + ", must be the next cursor of this list in this order");
  }

  @Override
  public String toString() {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(
            (kind + SEPARATOR + String.join(SEPARATOR, key)).getBytes(StandardCharsets.UTF_8));
  }
}

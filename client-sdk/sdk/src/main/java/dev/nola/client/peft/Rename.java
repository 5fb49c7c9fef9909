package dev.nola.client.peft;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A rule that changes the names of modules.
 *
 * @param pattern is replaced wherever it occurs in a name
 * @param replacement may refer to groups of the pattern
 */
public record Rename(Pattern pattern, String replacement) {
  /**
   * Reads a user's rule.
   *
   * @param text {@code FROM=TO}: FROM is one or more whole parts of a name, such as {@code
   *     encoder.layer}, TO what is put in their place
   * @return the rule, for the first place only where FROM occurs
   * @throws IllegalArgumentException if it is not such a rule
   */
  public static Rename parse(String text) {
    int equals = text.indexOf('=');
    String parts = "[^.=\\s]+(\\.[^.=\\s]+)*";
    if (equals < 0
        || !text.substring(0, equals).matches(parts)
        || !text.substring(equals + 1).matches(parts)) {
      throw new IllegalArgumentException(
          "invalid rename: %s; must be FROM=TO, both parts of names with dots between them, such as encoder=bert.encoder"
              .formatted(text));
    }
    return ofParts(text.substring(0, equals), text.substring(equals + 1));
  }

  /**
   * Returns a rule that replaces whole parts of a name.
   *
   * @param parts the parts, with dots between them
   * @param replacement what is put in their place
   * @return the rule
   */
  static Rename ofParts(String parts, String replacement) {
    return new Rename(
        Pattern.compile("(?<![^.])" + Pattern.quote(parts) + "(?![^.])"),
        Matcher.quoteReplacement(replacement));
  }

  /**
   * Applies the rule everywhere.
   *
   * @param name the name
   * @return the new name
   */
  String all(String name) {
    return pattern.matcher(name).replaceAll(replacement);
  }

  /**
   * Applies the rule in the first place.
   *
   * @param name the name
   * @return the new name
   */
  String first(String name) {
    return pattern.matcher(name).replaceFirst(replacement);
  }

  /**
   * Returns whether the rule changes a name.
   *
   * @param name the name
   * @return true if the pattern occurs in it
   */
  public boolean applies(String name) {
    return pattern.matcher(name).find();
  }
}

package dev.nola.text;

import java.util.Locale;

/** Names the constants of enums in JSON, files and messages. */
public final class Label {
  private Label() {}

  /**
   * Returns the label of a constant.
   *
   * @param constant such as {@code SELF_VERIFIED}
   * @return its name in lower case, with hyphens between the words: {@code self-verified}
   */
  public static String of(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}

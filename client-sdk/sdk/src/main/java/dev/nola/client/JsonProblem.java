package dev.nola.client;

import dev.nola.text.Printable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;

/** Says what is wrong with a text that is not JSON, without names of the parser's own settings. */
public final class JsonProblem {
  private static final Pattern SETTINGS =
      Pattern.compile(": enable `[^`]*` to allow|, from `[^`]*`| \\(start marker at [^)]*\\)");

  private JsonProblem() {}

  /**
   * Describes a failure to parse JSON.
   *
   * @param failure what the parser threw
   * @return a clause, with the place if it is known
   */
  public static String of(JacksonException failure) {
    String message = failure.getOriginalMessage();
    return message == null
        ? "it cannot be parsed"
        : Printable.line(SETTINGS.matcher(message).replaceAll("")) + place(failure.getLocation());
  }

  private static String place(@Nullable TokenStreamLocation location) {
    return location == null || location.getLineNr() < 1
        ? ""
        : " (line %d, column %d)".formatted(location.getLineNr(), location.getColumnNr());
  }
}

package dev.nola.client;

import dev.nola.text.Label;
import dev.nola.text.Printable;
import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.exc.InvalidFormatException;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.databind.exc.ValueInstantiationException;

/** Describes problems of JSON, without names of the parser's settings and of classes. */
public final class JsonProblem {
  private static final Pattern SETTINGS =
      Pattern.compile(
          ": enable `[^`]*` to allow|, from `[^`]*`| \\(start marker at \\[Source: .*?\\]\\)");

  private JsonProblem() {}

  /**
   * Describes a failure to parse JSON.
   *
   * @param failure what the parser threw
   * @return a clause, with the place if it is known
   */
  public static String of(JacksonException failure) {
    return problem(failure) + place(failure.getLocation());
  }

  /**
   * Describes a failure to parse JSON that is a line of a file, whose number the caller knows.
   *
   * @param failure what the parser threw
   * @return a clause, with the column if it is known
   */
  public static String inLine(JacksonException failure) {
    TokenStreamLocation location = failure.getLocation();
    return problem(failure)
        + (location == null || location.getColumnNr() < 1
            ? ""
            : " (column %d)".formatted(location.getColumnNr()));
  }

  private static String problem(JacksonException failure) {
    String message = failure.getOriginalMessage();
    if (message == null) {
      return "it cannot be parsed";
    }
    return message.startsWith("Trailing token")
        ? "unexpected content after its end"
        : Printable.line(SETTINGS.matcher(message).replaceAll(""));
  }

  /**
   * Describes why JSON is not a record, without the names of classes.
   *
   * @param failure what the parser or the record threw
   * @return a clause with the key and the rule
   */
  public static String ofRecord(DatabindException failure) {
    String key = key(failure);
    return switch (failure) {
      case UnrecognizedPropertyException unknown ->
          "unknown key: %s; must be one of %s"
              .formatted(
                  key,
                  unknown.getKnownPropertyIds().stream()
                      .map(String::valueOf)
                      .sorted()
                      .collect(Collectors.joining(", ")));
      case InvalidFormatException invalid when invalid.getTargetType().isEnum() ->
          "invalid %s: %s; must be one of %s"
              .formatted(
                  key,
                  invalid.getValue(),
                  Arrays.stream(invalid.getTargetType().getEnumConstants())
                      .map(constant -> Label.of((Enum<?>) constant))
                      .collect(Collectors.joining(", ")));
      case ValueInstantiationException invalid when invalid.getCause() != null ->
          (key.isEmpty() ? "" : key + ": ") + invalid.getCause().getMessage();
      case MismatchedInputException mismatched when !key.isEmpty() ->
          "invalid value of %s; must be %s".formatted(key, kind(mismatched.getTargetType()));
      default -> key.isEmpty() ? "must be one JSON object" : "invalid value of " + key;
    };
  }

  private static String kind(@Nullable Class<?> type) {
    return type == null || type == String.class
        ? "text"
        : Number.class.isAssignableFrom(type) || type.isPrimitive() && type != boolean.class
            ? "a number"
            : type == Boolean.class || type == boolean.class ? "true or false" : "an object";
  }

  /**
   * Returns the key whose value could not be read.
   *
   * @param failure what the parser threw
   * @return such as {@code adapters[0].digest}; empty for the whole
   */
  public static String key(JacksonException failure) {
    return failure.getPath().stream()
        .map(
            step ->
                step.getPropertyName() == null
                    ? "[" + step.getIndex() + "]"
                    : "." + step.getPropertyName())
        .collect(Collectors.joining())
        .replaceFirst("^\\.", "");
  }

  private static String place(@Nullable TokenStreamLocation location) {
    return location == null || location.getLineNr() < 1
        ? ""
        : " (line %d, column %d)".formatted(location.getLineNr(), location.getColumnNr());
  }
}

package dev.nola.cli;

import java.util.ArrayList;
import java.util.List;

/** Splits a line of CSV (RFC 4180). */
final class CsvFields {
  private static final char QUOTE = '"';

  private CsvFields() {}

  /**
   * Splits a line at commas outside of quotes.
   *
   * @param line such as {@code up,"left, then right"}; a quote within quotes is doubled
   * @return the fields, without their quotes
   * @throws IllegalArgumentException if a quote is not closed, or a field continues after it
   */
  static List<String> parse(String line) {
    List<String> fields = new ArrayList<>();
    StringBuilder field = new StringBuilder();
    boolean isQuoted = false;
    boolean isClosed = false;
    for (int i = 0; i < line.length(); i++) {
      char character = line.charAt(i);
      boolean isQuote = character == QUOTE;
      if (isQuoted && isQuote && i + 1 < line.length() && line.charAt(i + 1) == QUOTE) {
        field.append(QUOTE);
        i++;
      } else if (isQuoted) {
        isQuoted = !isQuote;
        isClosed = isQuote;
        field.append(isQuote ? "" : character);
      } else if (character == ',') {
        fields.add(field.toString());
        field.setLength(0);
        isClosed = false;
      } else if (isQuote && field.isEmpty() && !isClosed) {
        isQuoted = true;
      } else if (isClosed) {
        throw invalid(line);
      } else {
        field.append(character);
      }
    }
    if (isQuoted) {
      throw invalid(line);
    }
    fields.add(field.toString());
    return fields;
  }

  private static IllegalArgumentException invalid(String line) {
    return new IllegalArgumentException(
        "invalid quotes: %s; must enclose whole fields, with a quote inside doubled"
            .formatted(line));
  }
}

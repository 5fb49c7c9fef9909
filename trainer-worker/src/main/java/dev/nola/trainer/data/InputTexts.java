package dev.nola.trainer.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.JsonNode;

/** Reads texts without answers, for predictions. */
public final class InputTexts {
  private InputTexts() {}

  /**
   * Reads texts by the file's name: JSON objects ({@code .jsonl}), columns ({@code .csv}, {@code
   * .tsv}), or else a text per line.
   *
   * @param path the file; may end in {@code .gz}
   * @param name field or column of the text
   * @return the texts, at least one
   * @throws IOException if the file cannot be read, or breaks a rule: the message has its name, the
   *     line and the rule
   */
  public static List<String> read(Path path, String name) throws IOException {
    Lines lines = Lines.read(path);
    String file = path.toString().toLowerCase(Locale.ROOT).replaceFirst("\\.gz$", "");
    List<String> texts = new ArrayList<>();
    if (file.endsWith(".csv")) {
      Columns.commaSeparated(lines).rows(name, name).forEach(row -> texts.add(row.text()));
    } else if (file.endsWith(".tsv")) {
      Columns.tabSeparated(lines).rows(name, name).forEach(row -> texts.add(row.text()));
    } else {
      for (Lines.Line line : lines.lines()) {
        texts.add(file.endsWith(".jsonl") ? field(path, line, name) : line.text());
      }
    }
    if (texts.isEmpty()) {
      throw new InvalidDataException(path + ": has no texts");
    }
    return texts;
  }

  private static String field(Path path, Lines.Line line, String name) throws IOException {
    JsonNode value = Row.object(path, line).path(name);
    if (!value.isString()) {
      throw Lines.invalid(
          path,
          line.number(),
          "field \"%s\" is %s; must be text"
              .formatted(name, value.isMissingNode() ? "missing" : value.getNodeType()));
    }
    return value.asString();
  }
}

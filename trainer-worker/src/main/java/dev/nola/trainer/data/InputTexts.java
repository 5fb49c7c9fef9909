package dev.nola.trainer.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

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
    List<String> texts = new ArrayList<>();
    switch (DataFiles.extension(path)) {
      case "csv" ->
          Columns.commaSeparated(lines).rows(name, name).forEach(row -> texts.add(row.text()));
      case "tsv" ->
          Columns.tabSeparated(lines).rows(name, name).forEach(row -> texts.add(row.text()));
      case "jsonl" -> {
        for (Lines.Line line : lines.lines()) {
          texts.add(Row.field(path, line, Row.object(path, line), name, false));
        }
      }
      default -> lines.lines().forEach(line -> texts.add(line.text()));
    }
    if (texts.isEmpty()) {
      throw new InvalidDataException(path + ": has no texts");
    }
    return texts;
  }
}

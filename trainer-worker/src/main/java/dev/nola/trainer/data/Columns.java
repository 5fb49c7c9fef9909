package dev.nola.trainer.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A file of columns that its first line names.
 *
 * @param path the file
 * @param records the fields of each record, the names first
 */
record Columns(Path path, List<Fields> records) {
  /**
   * The fields of a record.
   *
   * @param line number of its first line, from 1
   * @param values the fields
   */
  record Fields(int line, List<String> values) {}

  static Columns tabSeparated(Lines file) {
    return new Columns(
        file.path(),
        file.lines().stream()
            .map(line -> new Fields(line.number(), List.of(line.text().split("\t", -1))))
            .toList());
  }

  /** Reads comma-separated values: a field in quotes may have commas, quotes and line feeds. */
  static Columns commaSeparated(Lines file) throws IOException {
    List<Fields> records = new ArrayList<>();
    List<String> fields = new ArrayList<>();
    StringBuilder field = new StringBuilder();
    boolean isQuoted = false;
    int first = 0;
    int last = 0;
    for (Lines.Line line : file.lines()) {
      if (isQuoted) {
        field.append("\n".repeat(line.number() - last)); // blank lines within quotes count
      } else {
        first = line.number();
      }
      last = line.number();
      String text = line.text();
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        if (isQuoted && c == '"' && i + 1 < text.length() && text.charAt(i + 1) == '"') {
          field.append('"');
          i++;
        } else if (c == '"' && (isQuoted || field.isEmpty())) {
          isQuoted = !isQuoted;
        } else if (c == ',' && !isQuoted) {
          fields.add(field.toString());
          field.setLength(0);
        } else {
          field.append(c);
        }
      }
      if (!isQuoted) {
        fields.add(field.toString());
        field.setLength(0);
        records.add(new Fields(first, List.copyOf(fields)));
        fields.clear();
      }
    }
    if (isQuoted) {
      throw Lines.invalid(file.path(), first, "has a quote that is not closed");
    }
    return new Columns(file.path(), records);
  }

  /** Returns two columns as rows. */
  List<Row> rows(String text, String answer) throws IOException {
    if (records.isEmpty()) {
      return List.of();
    }
    Fields names = records.getFirst();
    int textColumn = column(names, text);
    int answerColumn = column(names, answer);
    List<Row> rows = new ArrayList<>();
    for (Fields fields : records.subList(1, records.size())) {
      if (fields.values().size() != names.values().size()) {
        throw Lines.invalid(
            path,
            fields.line(),
            "has %d columns; must have %d as line %d"
                .formatted(fields.values().size(), names.values().size(), names.line()));
      }
      rows.add(
          new Row(
              fields.line(), fields.values().get(textColumn), fields.values().get(answerColumn)));
    }
    return rows;
  }

  private int column(Fields names, String name) throws IOException {
    int column = names.values().indexOf(name);
    if (column < 0 || column != names.values().lastIndexOf(name)) {
      throw Lines.invalid(
          path,
          names.line(),
          "has %s column \"%s\"; must name one"
              .formatted(column < 0 ? "no" : "more than one", name));
    }
    return column;
  }
}

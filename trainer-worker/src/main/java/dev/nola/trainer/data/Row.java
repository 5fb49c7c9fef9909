package dev.nola.trainer.data;

import dev.nola.trainer.data.DataFiles.Layout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * An example of a text file, not yet tokenized.
 *
 * @param line number of its line, from 1
 * @param text the prompt, or the text that has a class
 * @param answer what is to be learned: the completion, or the class
 */
record Row(int line, String text, String answer) {
  private static final String E2E_SEPARATOR = "||";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** Returns the examples of a file, at least one. */
  static List<Row> read(Lines file, Layout layout) throws IOException {
    Path path = file.path();
    List<Row> rows = new ArrayList<>();
    switch (layout) {
      case Layout.E2e _ -> {
        for (Lines.Line line : file.lines()) {
          rows.add(e2e(path, line));
        }
      }
      case Layout.PromptJsonl(String prompt, String completion) -> {
        for (Lines.Line line : file.lines()) {
          rows.add(json(path, line, prompt, completion, false));
        }
      }
      case Layout.LabelledJsonl(String text, String label) -> {
        for (Lines.Line line : file.lines()) {
          rows.add(json(path, line, text, label, true).labelled(path));
        }
      }
      case Layout.LabelledTsv(String text, String label) -> rows.addAll(tsv(file, text, label));
      case Layout.Idx _ -> throw new IllegalArgumentException("IDX files have no lines");
    }
    if (rows.isEmpty()) {
      throw new InvalidDataException(path + ": has no examples");
    }
    return rows;
  }

  /** Starts the sentence with a space, as within a text. */
  private static Row e2e(Path path, Lines.Line line) throws IOException {
    int separator = line.text().indexOf(E2E_SEPARATOR);
    String slots = separator < 0 ? "" : line.text().substring(0, separator).strip();
    String sentence =
        separator < 0 ? "" : line.text().substring(separator + E2E_SEPARATOR.length()).strip();
    if (slots.isEmpty() || sentence.isEmpty()) {
      throw Lines.invalid(path, line.number(), "must be slots||sentence, neither empty");
    }
    return new Row(line.number(), slots + " " + E2E_SEPARATOR, " " + sentence);
  }

  /** Accepts numbers as classes; everything else must be text. */
  private static Row json(
      Path path, Lines.Line line, String text, String answer, boolean answerIsClass)
      throws IOException {
    JsonNode object;
    try {
      object = JSON.readTree(line.text());
    } catch (JacksonException e) {
      throw Lines.invalid(path, line.number(), "invalid JSON: " + e.getOriginalMessage());
    }
    if (!object.isObject()) {
      throw Lines.invalid(path, line.number(), "must be a JSON object");
    }
    return new Row(
        line.number(),
        field(path, line, object, text, false),
        field(path, line, object, answer, answerIsClass));
  }

  private static String field(
      Path path, Lines.Line line, JsonNode object, String name, boolean mayBeNumber)
      throws IOException {
    JsonNode value = object.path(name);
    if (value.isString() || mayBeNumber && (value.isIntegralNumber() || value.isBoolean())) {
      return value.asString();
    }
    String type = value.isMissingNode() ? "missing" : value.getNodeType().toString();
    throw Lines.invalid(
        path, line.number(), "field \"%s\" is %s; must be text".formatted(name, type));
  }

  private static List<Row> tsv(Lines file, String text, String label) throws IOException {
    if (file.lines().isEmpty()) {
      return List.of();
    }
    Lines.Line header = file.lines().getFirst();
    List<String> columns = List.of(header.text().split("\t", -1));
    int textColumn = column(file.path(), header, columns, text);
    int labelColumn = column(file.path(), header, columns, label);
    List<Row> rows = new ArrayList<>();
    for (Lines.Line line : file.lines().subList(1, file.lines().size())) {
      String[] fields = line.text().split("\t", -1);
      if (fields.length != columns.size()) {
        throw Lines.invalid(
            file.path(),
            line.number(),
            "has %d columns; must have %d as line %d"
                .formatted(fields.length, columns.size(), header.number()));
      }
      Row row = new Row(line.number(), fields[textColumn], fields[labelColumn]);
      rows.add(row.labelled(file.path()));
    }
    return rows;
  }

  private static int column(Path path, Lines.Line header, List<String> columns, String name)
      throws IOException {
    int column = columns.indexOf(name);
    if (column < 0 || column != columns.lastIndexOf(name)) {
      throw Lines.invalid(
          path,
          header.number(),
          "has %s column \"%s\"; must name one"
              .formatted(column < 0 ? "no" : "more than one", name));
    }
    return column;
  }

  private Row labelled(Path path) throws IOException {
    if (text.isBlank() || answer.isBlank()) {
      throw Lines.invalid(path, line, (text.isBlank() ? "text" : "label") + " is empty");
    }
    return this;
  }
}

package dev.nola.trainer.data;

import dev.nola.client.JsonProblem;
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

  /** Returns the examples of a file. */
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
      case Layout.LabelledTsv(String text, String label) ->
          rows.addAll(labelled(path, Columns.tabSeparated(file).rows(text, label)));
      case Layout.LabelledCsv(String text, String label) ->
          rows.addAll(labelled(path, Columns.commaSeparated(file).rows(text, label)));
      case Layout.PromptCsv(String prompt, String completion) ->
          rows.addAll(Columns.commaSeparated(file).rows(prompt, completion));
      case Layout.Idx _, Layout.ImageFolder _, Layout.PlainText _, Layout.Chat _ ->
          throw new IllegalArgumentException("the lines of these files are not examples");
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
    JsonNode object = object(path, line);
    return new Row(
        line.number(),
        field(path, line, object, text, false),
        field(path, line, object, answer, answerIsClass));
  }

  /** Reads a line that is a JSON object. */
  static JsonNode object(Path path, Lines.Line line) throws IOException {
    JsonNode object;
    try {
      object = JSON.readTree(line.text());
    } catch (JacksonException e) {
      throw Lines.invalid(path, line.number(), "invalid JSON: " + JsonProblem.inLine(e));
    }
    if (!object.isObject()) {
      throw Lines.invalid(path, line.number(), "must be a JSON object");
    }
    return object;
  }

  /** Returns a field that must be text, or may be a number. */
  static String field(Path path, Lines.Line line, JsonNode object, String name, boolean mayBeNumber)
      throws IOException {
    JsonNode value = object.path(name);
    if (value.isString() || mayBeNumber && (value.isIntegralNumber() || value.isBoolean())) {
      return value.asString();
    }
    String type = value.isMissingNode() ? "missing" : value.getNodeType().toString();
    String hint =
        value.isMissingNode() && object.has("messages") ? "; messages need the format chat" : "";
    throw Lines.invalid(
        path, line.number(), "field \"%s\" is %s; must be text%s".formatted(name, type, hint));
  }

  private static List<Row> labelled(Path path, List<Row> rows) throws IOException {
    for (Row row : rows) {
      row.labelled(path);
    }
    return rows;
  }

  private Row labelled(Path path) throws IOException {
    if (text.isBlank() || answer.isBlank()) {
      throw Lines.invalid(path, line, (text.isBlank() ? "text" : "label") + " is empty");
    }
    return this;
  }
}

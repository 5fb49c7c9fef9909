package dev.nola.trainer.data;

import dev.nola.client.JsonProblem;
import dev.nola.trainer.data.ReferenceTexts.Triple;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads the JSON files of DART: a list of objects with a tripleset and its annotations. */
final class Dart {
  private static final int PARTS = 3;

  private Dart() {}

  /**
   * Reads a file.
   *
   * @throws IOException if it cannot be read, or is not a DART file
   */
  static void read(Path file, ReferenceTexts.Collector texts) throws IOException {
    JsonNode root;
    try (DataFile in = DataFile.open(file)) {
      root = JsonMapper.shared().readTree(in);
    } catch (JacksonException e) {
      throw new InvalidDataException("%s: invalid JSON: %s".formatted(file, JsonProblem.of(e)), e);
    }
    if (!root.isArray()) {
      throw new InvalidDataException(file + ": not a DART file: must be a list of objects");
    }
    for (int i = 0; i < root.size(); i++) {
      List<Triple> triples = new ArrayList<>();
      for (JsonNode triple : root.get(i).path("tripleset")) {
        triples.add(triple(file, i, triple));
      }
      JsonNode annotations = root.get(i).path("annotations");
      if (triples.isEmpty() || annotations.isEmpty()) {
        throw invalid(file, i, triples.isEmpty() ? "has no tripleset" : "has no annotations");
      }
      for (JsonNode annotation : annotations) {
        if (!annotation.path("text").isString() || annotation.path("text").asString().isBlank()) {
          throw invalid(file, i, "has an annotation without a text");
        }
        texts.add(triples, annotation.path("text").asString(), null);
      }
    }
  }

  private static Triple triple(Path file, int index, JsonNode triple) throws IOException {
    if (triple.size() != PARTS || !triple.valueStream().allMatch(JsonNode::isString)) {
      throw invalid(
          file, index, "has the triple %s; must be [subject, predicate, object]".formatted(triple));
    }
    return new Triple(
        triple.get(0).asString(),
        triple.get(1).asString().toLowerCase(Locale.ROOT),
        triple.get(2).asString());
  }

  private static IOException invalid(Path file, int index, String rule) {
    return new InvalidDataException("%s: object %d %s".formatted(file, index + 1, rule));
  }
}

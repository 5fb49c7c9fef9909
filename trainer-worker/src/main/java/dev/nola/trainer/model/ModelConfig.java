package dev.nola.trainer.model;

import dev.nola.client.JsonProblem;
import dev.nola.client.PythonJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** A model's {@code config.json}. */
final class ModelConfig {
  static final String NAME = "config.json";

  private final Path file;
  private final JsonNode root;

  private ModelConfig(Path file, JsonNode root) {
    this.file = file;
    this.root = root;
  }

  static ModelConfig read(Path folder) throws IOException {
    Path file = folder.resolve(NAME);
    try {
      return new ModelConfig(file, PythonJson.mapper().readTree(Files.readAllBytes(file)));
    } catch (JacksonException e) {
      throw new UnsupportedModelException(file + ": invalid JSON: " + JsonProblem.of(e), e);
    }
  }

  /** Requires that each key has a value that is honoured. */
  void require(List<ConfigKey> keys) throws UnsupportedModelException {
    for (ConfigKey key : keys) {
      if (states(key.path()) && !key.honoured().test(find(key.path()))) {
        throw invalid(key.path(), key.rule());
      }
    }
  }

  /** Returns whether a key is there, and not null. */
  boolean states(String path) {
    JsonNode value = find(path);
    return !value.isMissingNode() && !value.isNull();
  }

  /** Returns whether a key is there, with the value null. */
  boolean isNull(String path) {
    return find(path).isNull();
  }

  /** Requires that an object has no other keys than some. */
  void requireOnly(String path, Set<String> keys) throws UnsupportedModelException {
    for (String key : find(path).propertyNames()) {
      if (!keys.contains(key)) {
        throw invalid(path + "." + key, "absent");
      }
    }
  }

  /** Returns the texts of a list; empty if absent. */
  List<String> texts(String path) {
    return find(path).valueStream().map(value -> value.asString("")).toList();
  }

  UnsupportedModelException invalid(String path, String rule) {
    JsonNode value = find(path);
    return new UnsupportedModelException(
        "%s: unsupported %s: %s; must be %s"
            .formatted(file, path, value.isMissingNode() ? "missing" : value, rule));
  }

  String text(String path) {
    return find(path).asString("");
  }

  boolean flag(String path) {
    return find(path).asBoolean(false);
  }

  /** Returns a number that must be there. */
  int count(String path) throws UnsupportedModelException {
    int count = count(path, 0);
    if (count < 1) {
      throw invalid(path, ConfigKey.COUNT);
    }
    return count;
  }

  /** Returns the side of a square, which may be stated as height and width. */
  int side(String path) throws UnsupportedModelException {
    int side = side(path, 0);
    if (side < 1) {
      throw invalid(path, ConfigKey.SIDE);
    }
    return side;
  }

  int side(String path, int standard) {
    JsonNode value = find(path);
    return (value.isArray() ? value.path(0) : value).asInt(standard);
  }

  int count(String path, int standard) {
    return find(path).asInt(standard);
  }

  double real(String path, double standard) {
    return find(path).asDouble(standard);
  }

  Activation activation(String path, Activation standard) {
    return Activation.of(text(path)).orElse(standard);
  }

  /** Returns the first of the classes of Transformers that the model was saved as, if any. */
  String className() {
    return root.path("architectures").path(0).asString("");
  }

  private JsonNode find(String path) {
    JsonNode node = root;
    for (String part : path.split("\\.")) {
      node = node.path(part);
    }
    return node;
  }
}

package dev.nola.trainer.model;

import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * A key of {@code config.json} that changes what a model computes, and the values that are
 * honoured. A key that is absent or null has its default, which is honoured.
 *
 * @param path name, with dots between the objects that it is in
 * @param rule rule for a value, such as "a whole number, 1 or more"
 * @param honoured whether a value is honoured
 */
record ConfigKey(String path, String rule, Predicate<JsonNode> honoured) {
  /** Rule for a number of layers, heads or the like. */
  static final String COUNT = "a whole number, 1 or more";

  /** Rule for the side of an image or patch. */
  static final String SIDE = COUNT + ", or two equal ones";

  /** How the weights are quantized; honoured by no model here. */
  static final ConfigKey QUANTIZATION = only("quantization_config");

  /** Accepts every whole number above 0. */
  static ConfigKey count(String path) {
    return new ConfigKey(path, COUNT, ConfigKey::isCount);
  }

  private static boolean isCount(JsonNode value) {
    return value.isIntegralNumber() && value.canConvertToInt() && value.asInt() >= 1;
  }

  /** Accepts the side of a square: a whole number above 0, or height and width that are equal. */
  static ConfigKey side(String path) {
    return new ConfigKey(
        path,
        SIDE,
        value ->
            isCount(value)
                || value.isArray()
                    && value.size() == 2
                    && isCount(value.get(0))
                    && value.get(0).equals(value.get(1)));
  }

  /** Accepts every number above 0. */
  static ConfigKey positive(String path) {
    return new ConfigKey(
        path,
        "a number above 0",
        value -> value.isNumber() && value.asDouble() > 0 && value.asDouble() < Float.MAX_VALUE);
  }

  /** Accepts 0 and every number above. */
  static ConfigKey notNegative(String path) {
    return new ConfigKey(
        path,
        "a number, 0 or more",
        value -> value.isNumber() && value.asDouble() >= 0 && value.asDouble() < Float.MAX_VALUE);
  }

  /** Accepts true and false. */
  static ConfigKey flag(String path) {
    return new ConfigKey(path, "true or false", JsonNode::isBoolean);
  }

  /** Accepts some texts, numbers or truth values; without any, the key must be absent. */
  static ConfigKey only(String path, Object... values) {
    List<String> labels = Stream.of(values).map(Object::toString).toList();
    return new ConfigKey(
        path,
        labels.isEmpty() ? "absent or null" : String.join(", ", labels),
        value ->
            value.isNumber()
                ? labels.stream().anyMatch(label -> isNumber(label, value.asDouble()))
                : value.isValueNode() && labels.contains(value.asString()));
  }

  /** Accepts the names of activations. */
  static ConfigKey activation(String path) {
    String names =
        Stream.of(Activation.values())
            .flatMap(activation -> activation.names().stream())
            .collect(Collectors.joining(", "));
    return new ConfigKey(
        path,
        "one of " + names,
        value -> value.isString() && Activation.of(value.asString()).isPresent());
  }

  private static boolean isNumber(String label, double value) {
    try {
      return Double.parseDouble(label) == value;
    } catch (NumberFormatException _) {
      return false;
    }
  }
}

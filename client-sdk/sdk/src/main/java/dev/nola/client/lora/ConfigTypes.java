package dev.nola.client.lora;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;

/**
 * The settings that are read, or that do not affect a trained LoRA, each with the type that PEFT
 * writes. A value of another type would mean something else to PEFT than to a reader that ignores
 * it.
 */
final class ConfigTypes {
  private static final Type BOOLEAN = new Type("true or false", JsonNode::isBoolean);
  private static final Type TEXT = new Type("a text", JsonNode::isString);
  private static final Type NUMBER =
      new Type("a finite number", value -> value.isNumber() && Double.isFinite(number(value)));
  private static final Type OBJECT = new Type("an object", JsonNode::isObject);
  private static final Type NAMES =
      new Type("a list of texts that are not empty", ConfigTypes::isListOfNames);
  private static final Type NAME_OR_NAMES =
      new Type("a text, or a list of texts that are not empty", ConfigTypes::isNameOrNames);
  private static final Type INDEXES =
      new Type("a whole number or a list of such", ConfigTypes::isIndexes);
  private static final Type BOOLEAN_OR_TEXT =
      new Type("true, false or a text", value -> value.isBoolean() || value.isString());
  private static final Type ANY = new Type("", value -> true);

  private static final Map<String, Type> TYPES = new LinkedHashMap<>();

  static {
    put(
        BOOLEAN,
        "ensure_weight_tying",
        "fan_in_fan_out",
        "inference_mode",
        "lora_bias",
        "merge_weights",
        "use_dora",
        "use_qalora",
        "use_rslora");
    put(NUMBER, "lora_alpha", "lora_dropout", "qalora_group_size", "r");
    put(TEXT, "base_model_name_or_path", "bias", "peft_type", "peft_version", "task_type");
    put(TEXT, "megatron_core", "revision");
    put(OBJECT, "alpha_pattern", "auto_mapping", "rank_pattern");
    put(NAMES, "modules_to_save", "target_parameters");
    put(NAME_OR_NAMES, "exclude_modules", "layers_pattern", "target_modules");
    put(INDEXES, "layers_to_transform");
    put(BOOLEAN_OR_TEXT, "init_lora_weights");
    put(ANY, "corda_config", "eva_config", "loftq_config", "lora_ga_config", "megatron_config");
    put(ANY, "runtime_config", "velora_config");
  }

  /** A type of values. */
  private record Type(String rule, Predicate<JsonNode> accepts) {}

  private ConfigTypes() {}

  private static void put(Type type, String... keys) {
    for (String key : keys) {
      TYPES.put(key, type);
    }
  }

  /** Returns whether a setting is one that is read or has no effect. */
  static boolean isKnown(String key) {
    return TYPES.containsKey(key);
  }

  /** Adds a sentence for each value that is neither null nor of its setting's type. */
  static void requireTypes(JsonNode config, List<String> wrong) {
    TYPES.forEach(
        (key, type) -> {
          JsonNode value = config.path(key);
          if (!value.isMissingNode() && !value.isNull() && !type.accepts.test(value)) {
            wrong.add("%s is %s; must be %s".formatted(key, value, type.rule));
          }
        });
  }

  /** Returns the value of a number of any size; infinite if it is too large. */
  static double number(JsonNode value) {
    return value.numberValue().doubleValue();
  }

  private static boolean isName(JsonNode value) {
    return value.isString() && !value.asString().isEmpty();
  }

  private static boolean isListOfNames(JsonNode value) {
    return value.isArray() && value.valueStream().allMatch(ConfigTypes::isName);
  }

  private static boolean isNameOrNames(JsonNode value) {
    return value.isString() || isListOfNames(value);
  }

  private static boolean isIndexes(JsonNode value) {
    return value.isIntegralNumber()
        || value.isArray() && value.valueStream().allMatch(JsonNode::isIntegralNumber);
  }
}

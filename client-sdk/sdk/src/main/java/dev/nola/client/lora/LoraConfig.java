package dev.nola.client.lora;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.nola.client.JsonProblem;
import dev.nola.client.lora.ImportRefusedException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What {@code adapter_config.json} says of a LoRA whose settings can all be expressed.
 *
 * @param path the file
 * @param json its content
 * @param ranks ranks of modules that do not have the default, by a pattern of their path
 * @param alphas alphas of modules that do not have the default, by a pattern of their path
 * @param notes what the user should know
 */
record LoraConfig(
    Path path,
    JsonNode json,
    SequencedMap<Pattern, Double> ranks,
    SequencedMap<Pattern, Double> alphas,
    List<String> notes) {
  private static final long MAX_BYTES = 1 << 24;

  /**
   * Reads the file.
   *
   * @throws ImportRefusedException naming each setting that cannot be expressed
   * @throws IOException if it cannot be read
   */
  static LoraConfig read(Path path) throws IOException, ImportRefusedException {
    JsonNode json = json(path);
    String type = json.path("peft_type").isString() ? json.path("peft_type").asString() : "";
    if (type.isEmpty()) {
      throw new ImportRefusedException(
          Reason.NOT_PEFT, path + ": has no peft_type, so it is not the config of a PEFT adapter");
    }
    if (!type.equals("LORA")) {
      throw new ImportRefusedException(
          Reason.UNSUPPORTED,
          "%s: peft_type is %s; must be LORA, as no other type can be imported"
              .formatted(path, type));
    }
    List<String> wrong = ConfigRules.violations(json);
    SequencedMap<Pattern, Double> ranks = patterns(json, "rank_pattern", wrong);
    SequencedMap<Pattern, Double> alphas = patterns(json, "alpha_pattern", wrong);
    requireNumber(json, "r", wrong);
    requireNumber(json, "lora_alpha", wrong);
    json.path("rank_pattern")
        .properties()
        .forEach(
            entry -> requireRank("rank_pattern of " + entry.getKey(), entry.getValue(), wrong));
    requireRank("r", json.path("r"), wrong);
    if (!wrong.isEmpty()) {
      throw new ImportRefusedException(
          Reason.UNSUPPORTED, path + ": has settings that cannot be imported", wrong);
    }
    return new LoraConfig(path, json, ranks, alphas, ConfigRules.notes(json));
  }

  private static JsonNode json(Path path) throws IOException, ImportRefusedException {
    if (Files.size(path) > MAX_BYTES) {
      throw new ImportRefusedException(
          Reason.NOT_PEFT,
          String.format(
              Locale.ROOT, "%s: has %,d bytes; limit is %,d", path, Files.size(path), MAX_BYTES));
    }
    try {
      JsonNode json = JsonMapper.shared().readTree(Files.readAllBytes(path));
      if (!json.isObject()) {
        throw new ImportRefusedException(Reason.NOT_PEFT, path + ": is not a JSON object");
      }
      return json;
    } catch (JacksonException e) {
      throw new ImportRefusedException(
          Reason.NOT_PEFT, path + ": is not valid JSON: " + JsonProblem.of(e));
    }
  }

  private static void requireNumber(JsonNode json, String key, List<String> wrong) {
    JsonNode value = json.path(key);
    if (value.isMissingNode() || value.isNull()) {
      wrong.add("%s is %s; must be a number".formatted(key, value.isNull() ? "null" : "missing"));
    }
  }

  private static void requireRank(String key, JsonNode value, List<String> wrong) {
    if (!value.isNumber()) {
      return; // said by its type
    }
    double rank = ConfigTypes.number(value);
    if (rank < 1 || rank != (int) rank) {
      wrong.add(
          "%s is %s; must be a whole number of 1 to %d".formatted(key, value, Integer.MAX_VALUE));
    }
  }

  /** Reads patterns, which PEFT matches against a whole path, or its end after a dot. */
  private static SequencedMap<Pattern, Double> patterns(
      JsonNode json, String key, List<String> wrong) {
    SequencedMap<Pattern, Double> patterns = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : json.path(key).properties()) {
      if (!entry.getValue().isNumber() || !Double.isFinite(ConfigTypes.number(entry.getValue()))) {
        wrong.add(
            "%s of %s is %s; must be a finite number"
                .formatted(key, entry.getKey(), entry.getValue()));
        continue;
      }
      try {
        patterns.put(
            Pattern.compile("(.*\\.)?(" + entry.getKey() + ")"),
            ConfigTypes.number(entry.getValue()));
      } catch (PatternSyntaxException e) {
        wrong.add(
            "%s %s: is not an RE2 pattern: %s".formatted(key, entry.getKey(), e.getDescription()));
      }
    }
    return patterns;
  }

  /** Returns r of a module, or of a parameter that is adapted by itself. */
  int rank(String module) {
    return (int) value(ranks, module, ConfigTypes.number(json.path("r")));
  }

  /** Returns the number that multiplies lora_B·lora_A; may be negative. */
  double scaling(String module) {
    int rank = rank(module);
    double alpha = alpha(module);
    return isRankStabilized() ? alpha / Math.sqrt(rank) : alpha / rank;
  }

  /** Returns lora_alpha of a module. */
  double alpha(String module) {
    return value(alphas, module, ConfigTypes.number(json.path("lora_alpha")));
  }

  private static double value(
      SequencedMap<Pattern, Double> patterns, String module, double otherwise) {
    for (Map.Entry<Pattern, Double> entry : patterns.entrySet()) {
      if (entry.getKey().matches(module)) {
        return entry.getValue();
      }
    }
    return otherwise;
  }

  boolean isRankStabilized() {
    return json.path("use_rslora").asBoolean(false);
  }

  boolean isFanInFanOut() {
    return json.path("fan_in_fan_out").asBoolean(false);
  }

  /**
   * Returns whether PEFT gives a module weights of its own, so that no other module shares them.
   *
   * @param module its path
   */
  boolean separates(String module) {
    return !json.path("ensure_weight_tying").asBoolean(false)
        && texts("modules_to_save").stream().anyMatch(module::endsWith);
  }

  /** Returns the texts of a list; empty if absent. */
  List<String> texts(String key) {
    return texts(json.path(key));
  }

  /** Returns the texts of a list; empty for any other value. */
  static List<String> texts(JsonNode list) {
    return list.valueStream().filter(JsonNode::isString).map(JsonNode::asString).toList();
  }

  /** Returns a text; null if absent. */
  @Nullable String text(String key) {
    return json.path(key).isString() ? json.path(key).asString() : null;
  }
}

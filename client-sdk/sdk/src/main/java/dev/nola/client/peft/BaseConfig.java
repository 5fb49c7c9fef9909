package dev.nola.client.peft;

import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.Model;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a base model's {@value Model#CONFIG} says.
 *
 * @param modelType such as {@code gpt2}; null if it is not known
 * @param parts the configs of the models of which it consists, such as {@code decoder}; empty if it
 *     is one model
 */
public record BaseConfig(@Nullable String modelType, Map<String, BaseConfig> parts) {
  private static final Set<String> CONV1D_MODELS =
      Set.of("gpt2", "gpt-sw3", "openai-gpt", "imagegpt", "decision_transformer");

  /** Names of modules that differ from the keys of their configs, by key. */
  private static final Map<String, List<String>> NAMES =
      Map.of(
          "text_config", List.of("language_model", "text_model", "text_decoder", "text_encoder"),
          "vision_config", List.of("vision_tower", "vision_model", "visual"),
          "qformer_config", List.of("qformer"));

  private static final String TYPE = "model_type";

  /** Copies the map. */
  public BaseConfig {
    parts = Map.copyOf(parts);
  }

  /**
   * Returns the config of one model.
   *
   * @param modelType such as {@code gpt2}; null if it is not known
   * @return the config
   */
  public static BaseConfig ofType(@Nullable String modelType) {
    return new BaseConfig(modelType, Map.of());
  }

  /**
   * Reads the config of a model.
   *
   * @param base the model; null if it is not known
   * @return the config; of an unknown type if absent
   * @throws InvalidModelException if it is not a JSON object
   */
  public static BaseConfig of(@Nullable Model base) throws InvalidModelException {
    ObjectNode config = base == null ? null : base.config();
    return config == null ? ofType(null) : of(config);
  }

  private static BaseConfig of(JsonNode json) {
    Map<String, BaseConfig> parts = new LinkedHashMap<>();
    json.properties()
        .forEach(
            entry -> {
              if (entry.getValue().path(TYPE).isString()) {
                parts.put(entry.getKey(), of(entry.getValue()));
              }
            });
    JsonNode type = json.path(TYPE);
    return new BaseConfig(type.isString() ? type.asString() : null, parts);
  }

  /**
   * Returns the type of the model that a module belongs to.
   *
   * @param module the module's path
   * @return the type of the part that the path names, or else of the whole; null if it is not known
   */
  public @Nullable String typeOf(String module) {
    BaseConfig part = partOf(module);
    return part == null ? modelType : part.typeOf(inner(module));
  }

  /**
   * Returns whether the model that a module belongs to stores weights of some modules as in×out, as
   * GPT-2 does.
   *
   * @param module the module's path
   * @return empty if the type is not known, or that of one of several parts
   */
  public Optional<Boolean> hasConv1d(String module) {
    BaseConfig part = partOf(module);
    if (part != null) {
      return part.hasConv1d(inner(module));
    }
    return parts.values().stream().anyMatch(BaseConfig::mayHaveConv1d)
        ? Optional.empty()
        : Optional.ofNullable(modelType).map(CONV1D_MODELS::contains);
  }

  private boolean mayHaveConv1d() {
    return modelType != null && CONV1D_MODELS.contains(modelType)
        || parts.values().stream().anyMatch(BaseConfig::mayHaveConv1d);
  }

  private @Nullable BaseConfig partOf(String module) {
    String first = ModulePaths.firstPart(withoutModel(module));
    for (Map.Entry<String, BaseConfig> part : parts.entrySet()) {
      if (part.getKey().equals(first)
          || NAMES.getOrDefault(part.getKey(), List.of()).contains(first)) {
        return part.getValue();
      }
    }
    return null;
  }

  /** Returns what follows the name of the part. */
  private static String inner(String module) {
    String path = withoutModel(module);
    return path.substring(Math.min(path.length(), ModulePaths.firstPart(path).length() + 1));
  }

  private static String withoutModel(String module) {
    return module.startsWith("model.") ? module.substring("model.".length()) : module;
  }
}

package dev.nola.client.peft;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a base model's {@value #FILE} says.
 *
 * @param modelType such as {@code gpt2}; null if it is not known
 */
public record BaseConfig(@Nullable String modelType) {
  private static final Set<String> CONV1D_MODELS =
      Set.of("gpt2", "gpt-sw3", "openai-gpt", "imagegpt", "decision_transformer");

  private static final String FILE = "config.json";

  /**
   * Reads the config of a model.
   *
   * @param base a folder, a safetensors file, or null
   * @return the config; of an unknown type if there is none
   * @throws IOException if there is a config that is not JSON
   */
  public static BaseConfig of(@Nullable Path base) throws IOException {
    if (base == null || !Files.isRegularFile(base.resolve(FILE))) {
      return new BaseConfig(null);
    }
    Path file = base.resolve(FILE);
    try {
      JsonNode type = JsonMapper.shared().readTree(Files.readAllBytes(file)).path("model_type");
      return new BaseConfig(type.isString() ? type.asString() : null);
    } catch (JacksonException e) {
      throw new IOException(file + ": is not valid JSON: " + e.getOriginalMessage(), e);
    }
  }

  /**
   * Returns whether models of this type store weights of some modules as in×out.
   *
   * @return true for GPT-2 and similar models; false if the type is not known
   */
  public boolean hasConv1d() {
    return modelType != null && CONV1D_MODELS.contains(modelType);
  }
}

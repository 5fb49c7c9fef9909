package dev.nola.client.peft;

import dev.nola.format.DType;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Reads and sets the type of the weights that a model's config states. */
public final class TorchType {
  private static final String EVERY_VERSION = "torch_dtype";

  /** The keys of the type: that of transformers 5, and that of earlier versions. */
  private static final List<String> KEYS = List.of("dtype", EVERY_VERSION);

  private TorchType() {}

  /**
   * Names a type as PyTorch does.
   *
   * @param dtype the type
   * @return such as {@code bfloat16}
   */
  public static String name(DType dtype) {
    return switch (dtype) {
      case F32 -> "float32";
      case F16 -> "float16";
      case BF16 -> "bfloat16";
    };
  }

  /**
   * Reads the type.
   *
   * @param config the config of a model or of a part of one
   * @return the type; empty if it states none, or one that adapters cannot adapt
   */
  public static Optional<DType> of(JsonNode config) {
    for (String key : KEYS) {
      for (DType dtype : DType.values()) {
        if (config.path(key).asString("").equals(name(dtype))) {
          return Optional.of(dtype);
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Sets the type of a model and, where they state one, of its parts.
   *
   * @param config the config, which is changed
   * @param dtype the type
   */
  public static void set(ObjectNode config, DType dtype) {
    if (KEYS.stream().noneMatch(config::has)) {
      config.put(EVERY_VERSION, name(dtype));
    }
    replace(config, name(dtype));
  }

  private static void replace(ObjectNode config, String type) {
    for (String key : KEYS) {
      if (config.has(key)) {
        config.put(key, type);
      }
    }
    for (Map.Entry<String, JsonNode> entry : config.properties()) {
      if (entry.getValue() instanceof ObjectNode part
          && (entry.getKey().endsWith("_config") || part.has("model_type"))
          && !entry.getKey().equals("quantization_config")) {
        replace(part, type);
      }
    }
  }
}

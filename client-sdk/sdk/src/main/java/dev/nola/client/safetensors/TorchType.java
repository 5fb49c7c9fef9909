package dev.nola.client.safetensors;

import dev.nola.format.DType;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** States the type of a model's weights in its config, by the name that PyTorch has for it. */
public final class TorchType {
  /** The keys of the type: that of transformers 5, and that of earlier versions. */
  private static final List<String> KEYS = List.of("dtype", "torch_dtype");

  private TorchType() {}

  /**
   * Returns the type that a config states.
   *
   * @param config of a model, or of a part of one
   * @return the type; empty if it states none, or one that weights of adapters cannot have
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
   * Replaces the type wherever a config states one, not in the configs of its parts.
   *
   * @param config of a model, or of a part of one
   * @param dtype the type
   */
  public static void replace(ObjectNode config, DType dtype) {
    for (String key : KEYS) {
      if (config.has(key)) {
        config.put(key, name(dtype));
      }
    }
  }

  /**
   * States the type in a model's config: by the keys that it has, or else by the one that every
   * version of Transformers reads.
   *
   * @param config of a model
   * @param dtype the type
   */
  public static void state(ObjectNode config, DType dtype) {
    replace(config, dtype);
    if (KEYS.stream().noneMatch(config::has)) {
      config.put("torch_dtype", name(dtype));
    }
  }

  private static String name(DType dtype) {
    return switch (dtype) {
      case F32 -> "float32";
      case F16 -> "float16";
      case BF16 -> "bfloat16";
    };
  }
}

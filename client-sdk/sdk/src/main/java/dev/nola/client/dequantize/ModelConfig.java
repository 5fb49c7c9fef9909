package dev.nola.client.dequantize;

import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Quantization;
import dev.nola.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The config of a model.
 *
 * @param json its content; empty if there is no config
 */
record ModelConfig(ObjectNode json) {
  /** The key for the type of the weights, of newer and older versions of Transformers. */
  private static final List<String> DTYPE_KEYS = List.of("dtype", "torch_dtype");

  /**
   * Reads the config of a model.
   *
   * @throws InvalidModelException if it is not a JSON object
   */
  static ModelConfig of(Model model) throws InvalidModelException {
    ObjectNode config = model.config();
    return new ModelConfig(config == null ? JsonMapper.shared().createObjectNode() : config);
  }

  /** Returns the type that the config names, or else that of most models so quantized. */
  DType dtype(Quantization.Method method) {
    return named(json)
        .or(() -> named(json.path("text_config")))
        .orElse(method == Quantization.Method.FP8 ? DType.BF16 : DType.F16);
  }

  private static Optional<DType> named(JsonNode config) {
    return DTYPE_KEYS.stream()
        .map(key -> of(config.path(key).asString("")))
        .filter(type -> type != null)
        .findFirst();
  }

  private static @Nullable DType of(String name) {
    return switch (name) {
      case "float32" -> DType.F32;
      case "float16" -> DType.F16;
      case "bfloat16" -> DType.BF16;
      default -> null;
    };
  }

  /** Names a type as PyTorch does. */
  static String name(DType dtype) {
    return dtype
        .name()
        .toLowerCase(Locale.ROOT)
        .replace("bf", "bfloat")
        .replaceFirst("^f", "float");
  }

  /**
   * Writes the config of the plain model.
   *
   * @param file the file to create
   * @param dtype the type of its weights
   */
  void write(Path file, DType dtype) throws IOException {
    ObjectNode plain = json.deepCopy();
    change(plain, dtype, true);
    plain.forEach(
        part -> {
          if (part instanceof ObjectNode nested) {
            change(nested, dtype, false);
          }
        });
    Files.write(
        file, JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsBytes(plain));
  }

  private static void change(ObjectNode config, DType dtype, boolean always) {
    config.remove(List.of("quantization_config", "compression_config"));
    boolean named = false;
    for (String key : DTYPE_KEYS) {
      if (config.has(key)) {
        config.put(key, name(dtype));
        named = true;
      }
    }
    if (always && !named) {
      config.put("torch_dtype", name(dtype));
    }
  }
}

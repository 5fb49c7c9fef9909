package dev.nola.client.merge;

import dev.nola.client.safetensors.Model;
import dev.nola.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a merged model's {@value Model#CONFIG}: the base's, with what the merge changes.
 *
 * @param untied whether the embeddings are tied no longer
 * @param dtype the type that the weights were converted to; null if they were not
 * @param head the classifier, if adapters bring one
 */
record MergedConfig(boolean untied, @Nullable DType dtype, MergedHead head) {
  /** The keys of the type: that of transformers 5, and that of earlier versions. */
  private static final List<String> TYPE_KEYS = List.of("dtype", "torch_dtype");

  /**
   * Writes the config, byte for byte the base's if nothing changes.
   *
   * @param base a model with a config
   * @param destination the file to create
   */
  void write(Model base, Path destination) throws IOException {
    ObjectNode config = base.config();
    if (config == null || !untied && dtype == null && !head.isStated()) {
      Files.copy(base.path().resolve(Model.CONFIG), destination);
      return;
    }
    if (untied) {
      TiedEmbeddings.untie(config);
    }
    if (dtype != null) {
      if (TYPE_KEYS.stream().noneMatch(config::has)) {
        config.put("torch_dtype", torchName(dtype)); // every version reads it
      }
      setType(config, torchName(dtype));
    }
    head.write(config);
    Files.write(
        destination,
        JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsBytes(config));
  }

  /** Sets the type wherever it is stated, also in the configs of parts of the model. */
  private static void setType(ObjectNode config, String type) {
    for (String key : TYPE_KEYS) {
      if (config.has(key)) {
        config.put(key, type);
      }
    }
    for (Map.Entry<String, JsonNode> entry : config.properties()) {
      if (entry.getValue() instanceof ObjectNode part
          && entry.getKey().endsWith("_config")
          && !entry.getKey().equals("quantization_config")) {
        setType(part, type);
      }
    }
  }

  private static String torchName(DType dtype) {
    return switch (dtype) {
      case F32 -> "float32";
      case F16 -> "float16";
      case BF16 -> "bfloat16";
    };
  }
}

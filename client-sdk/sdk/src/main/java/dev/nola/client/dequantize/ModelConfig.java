package dev.nola.client.dequantize;

import dev.nola.client.PythonJson;
import dev.nola.client.peft.TorchType;
import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Quantization;
import dev.nola.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The config of a model.
 *
 * @param json its content; empty if the model has no config
 */
record ModelConfig(ObjectNode json) {
  /** The keys that state how the weights are quantized. */
  private static final List<String> QUANTIZATION_KEYS =
      List.of("quantization_config", "compression_config");

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
    return TorchType.of(json)
        .or(() -> TorchType.of(json.path("text_config")))
        .orElse(
            switch (method) {
              case FP8, FP8_WITHOUT_SCALES -> DType.BF16;
              case BITSANDBYTES_8BIT, BITSANDBYTES_4BIT, OTHER -> DType.F16;
            });
  }

  /**
   * Writes the config of the plain model.
   *
   * @param file the file to create
   * @param dtype the type of its weights
   */
  void write(Path file, DType dtype) throws IOException {
    ObjectNode plain = json.deepCopy();
    plain.remove(QUANTIZATION_KEYS);
    for (JsonNode part : plain) {
      if (part instanceof ObjectNode nested) {
        nested.remove(QUANTIZATION_KEYS);
      }
    }
    TorchType.set(plain, dtype);
    Files.write(
        file, PythonJson.mapper().writerWithDefaultPrettyPrinter().writeValueAsBytes(plain));
  }
}

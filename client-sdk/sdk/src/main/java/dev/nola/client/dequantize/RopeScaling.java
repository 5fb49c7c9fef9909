package dev.nola.client.dequantize;

import dev.nola.client.gguf.GgufFile;
import dev.nola.client.gguf.GgufTensor;
import dev.nola.client.safetensors.InvalidModelException;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * How rotary positions are stretched to a longer context. Llama 3.1 and later divide each frequency
 * by a factor of its own. GGUF has only these factors: the parameters of Meta's models are taken if
 * they yield the same ones.
 */
final class RopeScaling {
  /** The tensor with the factors of Llama 3. */
  static final String FREQUENCIES = "rope_freqs.weight";

  private static final String TYPE = "rope_type";
  private static final double LOW = 1;
  private static final double HIGH = 4;
  private static final long CONTEXT = 8192;

  /** Largest relative difference of factors that f32 rounds. */
  private static final double TOLERANCE = 1e-4;

  private RopeScaling() {}

  /**
   * Reads the scaling of a file.
   *
   * @param architecture prefix of its metadata
   * @param headSize elements of a head
   * @return {@code rope_scaling} of the config; empty if absent
   * @throws InvalidModelException if the config cannot express it
   */
  static Optional<ObjectNode> of(GgufFile file, String architecture, long headSize)
      throws InvalidModelException {
    GgufTensor factors = file.tensors().get(FREQUENCIES);
    if (factors != null) {
      double base = file.number(architecture + ".rope.freq_base").orElse(10000);
      return Optional.of(llama3(file, factors, base, headSize));
    }
    String type = file.text(architecture + ".rope.scaling.type").orElse("none");
    return switch (type) {
      case "none" -> Optional.empty();
      case "linear" ->
          Optional.of(
              JsonMapper.shared()
                  .createObjectNode()
                  .put(TYPE, type)
                  .put("factor", file.number(architecture + ".rope.scaling.factor").orElse(1)));
      default ->
          throw new InvalidModelException(
              file.path(), "scales rotary positions by \"%s\"; must be linear".formatted(type));
    };
  }

  private static ObjectNode llama3(GgufFile file, GgufTensor tensor, double base, long headSize)
      throws InvalidModelException {
    float[] factors = new float[Math.toIntExact(tensor.shape().getLast())];
    tensor.read(0, factors, 0, factors.length);
    double factor = factors.length == 0 ? 0 : Math.round(factors[factors.length - 1]);
    boolean matches = factors.length == headSize / 2;
    for (int i = 0; matches && i < factors.length; i++) {
      double expected = expected(factor, Math.pow(base, -2.0 * i / headSize));
      matches = Math.abs(factors[i] - expected) <= TOLERANCE * expected;
    }
    if (!matches) {
      throw new InvalidModelException(
          file.path(),
          "has %s with factors that are not those of Llama 3; use the original model"
              .formatted(FREQUENCIES));
    }
    return JsonMapper.shared()
        .createObjectNode()
        .put(TYPE, "llama3")
        .put("factor", factor)
        .put("low_freq_factor", LOW)
        .put("high_freq_factor", HIGH)
        .put("original_max_position_embeddings", CONTEXT);
  }

  /** Returns what Llama 3 divides a frequency by. */
  private static double expected(double factor, double frequency) {
    double wavelength = 2 * Math.PI / frequency;
    if (wavelength < CONTEXT / HIGH) {
      return 1;
    }
    if (wavelength > CONTEXT / LOW) {
      return factor;
    }
    double smooth = (CONTEXT / wavelength - LOW) / (HIGH - LOW);
    return 1 / ((1 - smooth) / factor + smooth);
  }
}

package dev.nola.client.safetensors;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * How a model's weights are quantized: the elements of its tensors are codes, not values.
 *
 * @param method the kind
 * @param name the name that is shown, such as {@code GPTQ}
 */
public record Quantization(Method method, String name) {
  private static final Set<String> VALUES = Set.of("F64", "F32", "F16", "BF16");
  private static final String EIGHT_BIT_FLOAT = "F8_E";
  private static final String FOUR_BIT = "4-bit bitsandbytes";

  /** The kinds that are distinguished. */
  public enum Method {
    /** 8-bit floats with a scale for each tensor, row or block. */
    FP8,
    /** 8-bit floats that are values as they are. */
    FP8_WITHOUT_SCALES,
    /** LLM.int8 of bitsandbytes: a scale for each row. */
    BITSANDBYTES_8BIT,
    /** NF4 or FP4 of bitsandbytes: a scale for each block of the flat tensor. */
    BITSANDBYTES_4BIT,
    /** Any other. */
    OTHER;

    /**
     * Returns whether {@code nola dequantize} can undo it.
     *
     * @return false for {@link #OTHER}
     */
    public boolean isReversible() {
      return this != OTHER;
    }
  }

  /**
   * The names of tensors by which a kind is recognized.
   *
   * @param quantization the kind
   * @param suffix ending of a tensor that only this kind has
   * @param codes what takes the ending's place in the name of the tensor with codes
   */
  private record Mark(Quantization quantization, String suffix, String codes) {
    Mark(Method method, String name, String suffix, String codes) {
      this(new Quantization(method, name), suffix, codes);
    }

    /** Tells whether a tensor has the ending, and the tensor with codes exists. */
    boolean isOn(String name, Map<String, Tensor> tensors) {
      if (!name.endsWith(suffix)) {
        return false;
      }
      Tensor marked = tensors.get(name.substring(0, name.length() - suffix.length()) + codes);
      return marked != null
          && (quantization.method == Method.FP8
              ? marked.type().startsWith(EIGHT_BIT_FLOAT)
              : isCode(marked));
    }
  }

  /** Kinds that cannot be undone come first, as a model may mix them with others. */
  private static final List<Mark> MARKS =
      List.of(
          new Mark(Method.OTHER, "GPTQ", ".g_idx", ".qweight"),
          new Mark(Method.OTHER, "AWQ or GPTQ", ".qweight", ".qweight"),
          new Mark(Method.OTHER, "compressed-tensors", ".weight_packed", ".weight_packed"),
          new Mark(Method.OTHER, "NVFP4", ".weight_scale_2", ".weight"),
          new Mark(Method.OTHER, "MXFP4", "_proj_blocks", "_proj_blocks"),
          new Mark(Method.OTHER, "MLX", ".scales", ".weight"),
          new Mark(Method.OTHER, "Quanto", ".weight._data", ".weight._data"),
          new Mark(Method.BITSANDBYTES_8BIT, "8-bit bitsandbytes", ".SCB", ".weight"),
          new Mark(Method.BITSANDBYTES_4BIT, FOUR_BIT, ".quant_state.bitsandbytes__nf4", ""),
          new Mark(Method.BITSANDBYTES_4BIT, FOUR_BIT, ".quant_state.bitsandbytes__fp4", ""),
          new Mark(Method.FP8, "FP8", "_scale_inv", ""),
          new Mark(Method.FP8, "FP8", "_scale", ""),
          new Mark(Method.FP8, "FP8", ".scale_weight", ".weight"),
          new Mark(Method.OTHER, "8-bit integers", ".weight_scale", ".weight"));

  /**
   * Finds out how a model is quantized.
   *
   * @param tensors all of its tensors, by name
   * @param config {@code quantization_config} of its config, or null if absent
   * @return the kind; empty if the tensors have values, even if the config names a kind
   */
  static Optional<Quantization> of(Map<String, Tensor> tensors, @Nullable JsonNode config) {
    String declared = config == null ? "" : config.path("quant_method").asString("");
    for (Mark mark : MARKS) {
      if (tensors.keySet().stream().anyMatch(name -> mark.isOn(name, tensors))) {
        boolean named = mark.quantization.method == Method.OTHER && !declared.isEmpty();
        return Optional.of(named ? other(declared) : mark.quantization);
      }
    }
    List<Tensor> codes =
        tensors.values().stream().filter(tensor -> isWeight(tensor) && isCode(tensor)).toList();
    if (codes.stream().anyMatch(tensor -> tensor.type().startsWith(EIGHT_BIT_FLOAT))) {
      return Optional.of(new Quantization(Method.FP8_WITHOUT_SCALES, "FP8 without scales"));
    }
    return declared.isEmpty() || codes.isEmpty() ? Optional.empty() : Optional.of(other(declared));
  }

  private static Quantization other(String declared) {
    return new Quantization(
        Method.OTHER,
        switch (declared) {
          case "gptq" -> "GPTQ";
          case "awq" -> "AWQ";
          default -> declared;
        });
  }

  private static boolean isWeight(Tensor tensor) {
    return tensor.shape().size() >= 2 && tensor.data().byteSize() > 0;
  }

  private static boolean isCode(Tensor tensor) {
    return !VALUES.contains(tensor.type()) && !tensor.type().equals("BOOL");
  }

  /**
   * Says that a model is quantized, and what to do.
   *
   * @return a predicate with the remedy
   */
  String predicate() {
    return "is quantized (%s), so its elements are codes and not values; %s"
        .formatted(
            name,
            method.isReversible()
                ? "convert it with: nola dequantize BASE -o DIR"
                : "use the original model, with weights in F32, F16 or BF16");
  }
}

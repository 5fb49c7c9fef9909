package dev.nola.client.safetensors;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
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

  /** The kinds that are told apart. */
  public enum Method {
    /** 8-bit floats with a scale for each tensor, row or block. */
    FP8,
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

  /** A kind, and the tensors that only it has. */
  private record Mark(Quantization quantization, Predicate<String> tensor) {
    static Mark suffix(Method method, String name, String suffix) {
      return new Mark(new Quantization(method, name), tensor -> tensor.endsWith(suffix));
    }
  }

  private static final List<Mark> MARKS =
      List.of(
          Mark.suffix(Method.FP8, "FP8", ".weight_scale_inv"),
          Mark.suffix(Method.BITSANDBYTES_8BIT, "8-bit bitsandbytes", ".SCB"),
          new Mark(
              new Quantization(Method.BITSANDBYTES_4BIT, "4-bit bitsandbytes"),
              tensor -> tensor.contains(".quant_state.bitsandbytes__")),
          Mark.suffix(Method.OTHER, "GPTQ", ".g_idx"),
          Mark.suffix(Method.OTHER, "AWQ or GPTQ", ".qweight"),
          Mark.suffix(Method.OTHER, "compressed-tensors", ".weight_packed"),
          Mark.suffix(Method.OTHER, "NVFP4", ".weight_scale_2"),
          Mark.suffix(Method.OTHER, "MXFP4", "_proj_blocks"));

  /**
   * Finds out how a model is quantized.
   *
   * @param tensors all of its tensors
   * @param config {@code quantization_config} of its config, or null if absent
   * @return the kind; empty if the tensors have values, even if the config names a kind
   */
  static Optional<Quantization> of(Collection<Tensor> tensors, @Nullable JsonNode config) {
    String declared = config == null ? "" : config.path("quant_method").asString("");
    Set<String> names = tensors.stream().map(Tensor::name).collect(Collectors.toSet());
    for (Mark mark : MARKS) {
      if (names.stream().anyMatch(mark.tensor)) {
        boolean named = mark.quantization.method == Method.OTHER && !declared.isEmpty();
        return Optional.of(named ? other(declared) : mark.quantization);
      }
    }
    if (tensors.stream().anyMatch(tensor -> isScaledFp8(tensor, names))) {
      return Optional.of(new Quantization(Method.FP8, "FP8"));
    }
    return !declared.isEmpty()
            && tensors.stream().anyMatch(tensor -> isWeight(tensor) && isCode(tensor))
        ? Optional.of(other(declared))
        : Optional.empty();
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

  private static boolean isScaledFp8(Tensor tensor, Set<String> names) {
    return tensor.type().startsWith("F8_E") && names.contains(tensor.name() + "_scale");
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

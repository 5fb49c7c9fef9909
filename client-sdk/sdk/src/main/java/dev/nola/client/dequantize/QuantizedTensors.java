package dev.nola.client.dequantize;

import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Quantization;
import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DType;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Pairs the codes of a quantized safetensors model with their scales. */
final class QuantizedTensors {
  private static final String WEIGHT = ".weight";

  /**
   * How a scale of FP8 is named.
   *
   * @param suffix ending of its name
   * @param replacement what takes the ending's place in the name of the tensor with codes
   */
  private record ScaleName(String suffix, String replacement) {
    /** Returns the name of the tensor with codes; null if the name is not that of a scale. */
    @Nullable String codes(String scale) {
      return replaced(scale, suffix, replacement);
    }

    /** Returns the name of the scale of a tensor; null if scales of its tensor have other names. */
    @Nullable String scale(String codes) {
      return replaced(codes, replacement, suffix);
    }

    private static @Nullable String replaced(String name, String ending, String other) {
      return name.endsWith(ending)
          ? name.substring(0, name.length() - ending.length()) + other
          : null;
    }
  }

  private static final List<ScaleName> FP8_SCALES =
      List.of(
          new ScaleName("_scale_inv", ""),
          new ScaleName("_scale", ""),
          new ScaleName(".scale_weight", WEIGHT));

  /** Endings of tensors that only the quantized model needs, by method. */
  private static final Map<Quantization.Method, List<String>> HELPERS =
      Map.of(
          Quantization.Method.FP8,
          List.of(
              ".activation_scale",
              ".input_scale",
              ".input_scale_ub",
              ".scale_input",
              "scaled_fp8",
              ".output_scale",
              ".q_scale",
              ".k_scale",
              ".v_scale",
              ".weight_zero_point",
              ".weight_shape"),
          Quantization.Method.BITSANDBYTES_8BIT,
          List.of(".SCB", ".weight_format"),
          Quantization.Method.BITSANDBYTES_4BIT,
          List.of(".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map"));

  private final Model model;
  private final Quantization.Method method;
  private final DType dtype;
  private final boolean convertsAll;
  private final List<Long> block;

  /**
   * Prepares to pair tensors.
   *
   * @param model an open quantized model
   * @param method how it is quantized
   * @param dtype the type of what is decoded
   * @param convertsAll whether tensors that are not quantized get that type too
   * @param config the model's config; an empty object if it has none
   */
  QuantizedTensors(
      Model model, Quantization.Method method, DType dtype, boolean convertsAll, JsonNode config) {
    this.model = model;
    this.method = method;
    this.dtype = dtype;
    this.convertsAll = convertsAll;
    JsonNode size = config.path("quantization_config").path("weight_block_size");
    this.block =
        size.size() == 2
            ? List.of(Math.max(1, size.get(0).asLong(1)), Math.max(1, size.get(1).asLong(1)))
            : List.of(128L, 128L);
  }

  /**
   * Lists the tensors of the plain model that come from a file.
   *
   * @throws InvalidModelException if a tensor lacks its scale, or they do not fit
   */
  List<Output> of(SafetensorsFile file) throws IOException {
    List<Output> outputs = new ArrayList<>();
    for (Tensor tensor : model.tensors(file)) {
      if (isHelper(tensor.name())) {
        continue;
      }
      try {
        outputs.add(output(tensor));
      } catch (IllegalArgumentException e) {
        throw new InvalidModelException(
            file.path(), "tensor %s %s".formatted(tensor.name(), e.getMessage()), e);
      }
    }
    return outputs;
  }

  private boolean isHelper(String name) {
    return HELPERS.getOrDefault(method, List.of()).stream().anyMatch(name::endsWith)
        || name.contains(FourBitValues.STATE)
        || method == Quantization.Method.FP8
            && FP8_SCALES.stream().anyMatch(scale -> isScale(name, scale));
  }

  /** Tells whether a tensor is named as the scale of another; models have scales of their own. */
  private boolean isScale(String name, ScaleName scale) {
    String codes = scale.codes(name);
    Tensor scaled = codes == null ? null : model.tensors().get(codes);
    return scaled != null && isCode(scaled);
  }

  private static boolean isCode(Tensor tensor) {
    return tensor.type().startsWith("F8_E") && tensor.data().byteSize() > 0;
  }

  private Output output(Tensor tensor) {
    Output.Decoded decoded = decoded(tensor);
    if (decoded != null) {
      return decoded;
    }
    if (convertsAll && tensor.adaptableType().filter(type -> type != dtype).isPresent()) {
      Values values = StoredFloats.values(tensor).orElseThrow();
      return new Output.Decoded(tensor.name(), tensor.shape(), dtype, values);
    }
    return new Output.Copied(tensor);
  }

  private Output.@Nullable Decoded decoded(Tensor tensor) {
    String name = tensor.name();
    return switch (method) {
      case FP8 -> {
        if (!isCode(tensor)) {
          yield null;
        }
        Values values = new Fp8Values(tensor, scale(name), block);
        yield new Output.Decoded(name, tensor.shape(), dtype, values);
      }
      case FP8_WITHOUT_SCALES -> {
        if (!isCode(tensor)) {
          yield null;
        }
        Values values =
            StoredFloats.values(tensor)
                .orElseThrow(
                    () -> new IllegalArgumentException(StoredFloats.unreadable(tensor.type())));
        yield new Output.Decoded(name, tensor.shape(), dtype, values);
      }
      case BITSANDBYTES_8BIT -> {
        if (!tensor.type().equals("I8")) {
          yield null;
        }
        String module = name.endsWith(WEIGHT) ? name.substring(0, name.lastIndexOf('.')) : name;
        requireRowOrder(module);
        Values values = new Int8Values(tensor, required(module + ".SCB"));
        yield new Output.Decoded(name, tensor.shape(), dtype, values);
      }
      case BITSANDBYTES_4BIT -> {
        Tensor state = state(name);
        if (state == null) {
          yield null;
        }
        FourBitValues values = new FourBitValues(tensor, model.tensors(), state);
        yield new Output.Decoded(name, values.shape(), dtype, values);
      }
      case OTHER -> null;
    };
  }

  private @Nullable Tensor state(String weight) {
    Tensor normal = model.tensors().get(weight + FourBitValues.STATE + "nf4");
    return normal == null ? model.tensors().get(weight + FourBitValues.STATE + "fp4") : normal;
  }

  private Tensor scale(String weight) {
    for (ScaleName name : FP8_SCALES) {
      String wanted = name.scale(weight);
      Tensor scale = wanted == null ? null : model.tensors().get(wanted);
      if (scale != null) {
        return scale;
      }
    }
    throw new IllegalArgumentException(
        "has no scale; must have a tensor %s_scale_inv or %s_scale".formatted(weight, weight));
  }

  /** Refuses the column orders that old versions of bitsandbytes could store. */
  private void requireRowOrder(String module) {
    Tensor format = model.tensors().get(module + ".weight_format");
    if (format != null
        && format.elements() == 1
        && format.type().equals("U8")
        && format.data().get(ValueLayout.JAVA_BYTE, 0) != 0) {
      throw new IllegalArgumentException(
          "is not stored row by row; save the model again with bitsandbytes 0.45 or newer");
    }
  }

  private Tensor required(String name) {
    Tensor tensor = model.tensors().get(name);
    if (tensor == null) {
      throw new IllegalArgumentException("has no scales; must have a tensor " + name);
    }
    return tensor;
  }
}

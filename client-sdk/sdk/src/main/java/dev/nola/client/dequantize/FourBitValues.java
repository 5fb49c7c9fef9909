package dev.nola.client.dequantize;

import dev.nola.client.peft.FloatRounding;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Codes of bitsandbytes' NF4 and FP4: two in a byte, the first in its high half; a block of
 * consecutive elements has a scale. With double quantization the scales are codes of 8 bits, which
 * have a table, scales and a shift of their own.
 */
final class FourBitValues implements Values {
  /** Follows the weight's name in that of the tensor with the state as JSON. */
  static final String STATE = ".quant_state.bitsandbytes__";

  private final MemorySegment codes;
  private final MemorySegment table;
  private final MemorySegment scales;
  private final long block;
  private final List<Long> shape;
  private final @Nullable NestedScales nested;

  /** How the scales are stored. */
  private record NestedScales(MemorySegment table, MemorySegment scales, long block, float shift) {}

  /**
   * Relates codes to their tables and scales.
   *
   * @param weight the codes
   * @param tensors all tensors of the model
   * @param state the tensor with the state
   * @throws IllegalArgumentException if they do not fit, with a predicate of it
   */
  FourBitValues(Tensor weight, Map<String, Tensor> tensors, Tensor state) {
    JsonNode json = json(state);
    List<Long> sizes = new ArrayList<>();
    json.path("shape").forEach(size -> sizes.add(size.asLong(-1)));
    shape = List.copyOf(sizes);
    block = json.path("blocksize").asLong(0);
    long elements = elements(shape);
    if (elements < 1 || block < 1 || weight.data().byteSize() != Math.ceilDiv(elements, 2L)) {
      throw new IllegalArgumentException(
          "has %d bytes and state %s; must have a byte for two elements"
              .formatted(weight.data().byteSize(), json));
    }
    long blocks = Math.ceilDiv(elements, block);
    String name = weight.name();
    codes = weight.data();
    table = data(tensors, name + ".quant_map", "F32", 16);
    if (json.hasNonNull("nested_blocksize")) {
      long nestedBlock = Math.max(1, json.path("nested_blocksize").asLong(0));
      scales = data(tensors, name + ".absmax", "U8", blocks);
      nested =
          new NestedScales(
              data(tensors, name + ".nested_quant_map", "F32", 256),
              data(tensors, name + ".nested_absmax", "F32", Math.ceilDiv(blocks, nestedBlock)),
              nestedBlock,
              (float) json.path("nested_offset").asDouble(0));
    } else {
      scales = data(tensors, name + ".absmax", "F32", blocks);
      nested = null;
    }
  }

  /** Returns the shape of the weight that was quantized. */
  List<Long> shape() {
    return shape;
  }

  private static JsonNode json(Tensor state) {
    byte[] text = state.data().toArray(ValueLayout.JAVA_BYTE);
    try {
      return JsonMapper.shared().readTree(new String(text, StandardCharsets.UTF_8));
    } catch (JacksonException e) {
      throw new IllegalArgumentException("has a state that is not valid JSON", e);
    }
  }

  private static long elements(List<Long> shape) {
    try {
      return shape.isEmpty() ? -1 : shape.stream().reduce(1L, Math::multiplyExact);
    } catch (ArithmeticException e) {
      return -1;
    }
  }

  private static MemorySegment data(
      Map<String, Tensor> tensors, String name, String type, long count) {
    Tensor tensor = tensors.get(name);
    if (tensor == null || !tensor.type().equals(type) || tensor.elements() != count) {
      throw new IllegalArgumentException(
          "needs a tensor %s with %d elements of type %s; found %s"
              .formatted(name, count, type, tensor));
    }
    return tensor.data();
  }

  @Override
  public void read(long first, int rows, float[] target) {
    long columns = shape.getLast();
    long start = first * columns;
    int count = Math.toIntExact(rows * columns);
    for (int i = 0; i < count; i++) {
      long element = start + i;
      int shift = element % 2 == 0 ? 4 : 0;
      int code = codes.get(ValueLayout.JAVA_BYTE, element / 2) >> shift & 15;
      target[i] = get(table, code) * scale(element / block);
    }
  }

  private float scale(long index) {
    if (nested == null) {
      return get(scales, index);
    }
    int code = Byte.toUnsignedInt(scales.get(ValueLayout.JAVA_BYTE, index));
    return get(nested.table, code) * get(nested.scales, index / nested.block) + nested.shift;
  }

  private static float get(MemorySegment floats, long index) {
    return FloatRounding.decode(floats, DType.F32, index);
  }
}

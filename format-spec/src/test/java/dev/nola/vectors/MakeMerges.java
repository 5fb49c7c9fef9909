package dev.nola.vectors;

import dev.nola.format.Adapter;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.kernel.Kernel;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Merge;
import dev.nola.reconstruct.MergeOverflowException;
import dev.nola.reconstruct.WeightedDelta;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Makes the vectors of merges (SPEC.md section 7.3). */
final class MakeMerges {
  private static final HexFormat HEX = HexFormat.of();

  /** One adapter of a merge: its file, without folder and extension, and its weight. */
  private record Part(String file, double weight) {}

  private final Kernel kernel;
  private final ArrayNode merges;
  private final Map<String, Factors> known = new HashMap<>();

  MakeMerges(Kernel kernel, ArrayNode merges) {
    this.kernel = kernel;
    this.merges = merges;
  }

  /** Keeps a file's first layer for the merges of several adapters. */
  void remember(String file, Adapter adapter, Function<Layer, Factors> factors) {
    if (!adapter.layers().isEmpty() && adapter.layers().getFirst().elements() < 1 << 20) {
      known.put(file, factors.apply(adapter.layers().getFirst()));
    }
  }

  /** Adds merges of a file's first layer, alone, with weights and W of every kind. */
  void ofFile(String file, Adapter adapter, Function<Layer, Factors> factors, double... weights) {
    Random random = new Random(1);
    Factors layer = factors.apply(adapter.layers().getFirst());
    for (DType dtype : DType.values()) {
      for (double weight : weights) {
        merge(file, layer, dtype, 3, weight, ordinary(dtype, random, 48));
        merge(file, layer, dtype, 0, weight, extraordinary(dtype));
      }
      merge(file, layer, dtype, 0, 0x1p300, ordinary(dtype, random, 4));
    }
  }

  private void merge(
      String file, Factors factors, DType dtype, long start, double weight, byte[] weights) {
    int room = (int) ((factors.layer().elements() - start) * dtype.bytes());
    byte[] fitting = weights.length <= room ? weights : Arrays.copyOf(weights, room);
    byte[] merged = new byte[fitting.length];
    ObjectNode node =
        merges
            .addObject()
            .put("file", file)
            .put("layer", 0)
            .put("dtype", dtype.code())
            .put("from", start)
            .put("weight", "%016x".formatted(Double.doubleToRawLongBits(weight)))
            .put("weights", HEX.formatHex(fitting));
    try {
      Merge.merge(
          kernel,
          dtype,
          MemorySegment.ofArray(fitting),
          MemorySegment.ofArray(merged),
          start,
          List.of(new WeightedDelta(factors, weight)));
      node.put("merged", HEX.formatHex(merged));
    } catch (MergeOverflowException e) {
      node.put("overflow", e.element() - start);
    }
  }

  /** Weights as models have them: around ±0.1. */
  private static byte[] ordinary(DType dtype, Random random, int count) {
    ByteBuffer out = buffer(dtype, count);
    for (int i = 0; i < count; i++) {
      put(out, dtype, (float) (0.1 * random.nextGaussian()));
    }
    return out.array();
  }

  /**
   * Zeros of both signs, infinities, NaN with a payload, subnormals and the largest negative
   * number.
   */
  private static byte[] extraordinary(DType dtype) {
    ByteBuffer out = buffer(dtype, 8);
    if (dtype == DType.F32) {
      for (int bits :
          new int[] {0, 1 << 31, 0x7f800000, 0xff800000, 0x7fa12345, 1, 0x807fffff, 0x3f800001}) {
        out.putInt(bits);
      }
      return out.array();
    }
    int infinity = dtype == DType.F16 ? 0x7c00 : 0x7f80;
    for (int bits :
        new int[] {0, 0x8000, infinity, infinity | 0x8000, infinity | 0x15, 1, 0x8003, 0x3c01}) {
      out.putShort((short) bits);
    }
    return out.array();
  }

  private static ByteBuffer buffer(DType dtype, int count) {
    return ByteBuffer.allocate(count * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void put(ByteBuffer out, DType dtype, float value) {
    switch (dtype) {
      case F32 -> out.putFloat(value);
      case F16 -> out.putShort(Float.floatToFloat16(value));
      case BF16 -> out.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
    }
  }

  /** Adds the merges that show where a result is rounded, and those of several adapters. */
  void several() {
    // 1 + 2^-11 + 2^-30 is above the middle of two f16, and in the middle once it is an f32.
    add(DType.F16, "003c", new Part("merge-f16-above", 1));
    add(DType.F16, "013c", new Part("merge-f16-below", 1));
    add(DType.BF16, "803f", new Part("merge-bf16-above", 1));
    add(DType.BF16, "813f", new Part("merge-bf16-below", 1));
    // 3 times the f64 next to 1/3 is 1 - 2^-54, which rounds to 1: no fused multiply-add.
    add(DType.F32, "000080bf", new Part("merge-three", 1.0 / 3));
    add(DType.F32, "000080bf", new Part("merge-three", 1.0 / 3), new Part("merge-one", 1));
    // From left to right: 1 + 2^100 is 2^100, and what remains is another for each order.
    Part large = new Part("merge-one", 0x1p100);
    Part negative = new Part("merge-one", -0x1p100);
    Part one = new Part("merge-one", 1);
    add(DType.F32, "0000803f", large, negative, one);
    add(DType.F32, "0000803f", one, large, negative);
    add(DType.F32, "0000803f", large, one, negative);
    add(DType.BF16, "803f", negative, large, one);
    add(DType.F16, "003c", new Part("merge-three", 0.1), new Part("merge-one", 0.2));
    add(DType.F32, "00000080", new Part("merge-one", 0), one, new Part("merge-one", -1));
    add(DType.F32, "0000803f0000803f", large, large, new Part("merge-one", 0x1p127));
    add(DType.F16, "003c", new Part("merge-three", 21_845));
  }

  private void add(DType dtype, String weights, Part... parts) {
    ObjectNode node = merges.addObject();
    ArrayNode deltas = node.putArray("deltas");
    List<WeightedDelta> added = new ArrayList<>();
    for (Part part : parts) {
      String file = "valid/" + part.file() + ".nola";
      Factors factors = known.get(file);
      if (factors == null) {
        throw new AssertionError("no valid vector is named " + file);
      }
      deltas.addObject().put("file", file).put("layer", 0).put("weight", bits(part.weight()));
      added.add(new WeightedDelta(factors, part.weight()));
    }
    node.put("dtype", dtype.code()).put("from", 0).put("weights", weights);
    byte[] before = HEX.parseHex(weights);
    byte[] merged = new byte[before.length];
    try {
      Merge.merge(
          kernel, dtype, MemorySegment.ofArray(before), MemorySegment.ofArray(merged), 0, added);
      node.put("merged", HEX.formatHex(merged));
    } catch (MergeOverflowException e) {
      node.put("overflow", e.element());
    }
  }

  private static String bits(double weight) {
    return "%016x".formatted(Double.doubleToRawLongBits(weight));
  }
}

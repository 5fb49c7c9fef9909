package dev.nola.vectors;

import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.BaseIdentity;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Merge;
import dev.nola.reconstruct.MergeOverflowException;
import dev.nola.reconstruct.ReconstructionDigest;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.reconstruct.WeightedDelta;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes the conformance vectors (SPEC.md section 16) with the scalar kernel. They are golden: run
 * this to add vectors, or to change them for a reason that the commit states, never to make a test
 * pass.
 *
 * <pre>mvn -q -pl format-spec test-compile toolchains:select-jdk-toolchain exec:exec@vectors</pre>
 */
final class MakeVectors {
  private static final int FIRST = 8;
  private static final HexFormat HEX = HexFormat.of();

  private final JsonMapper json =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
  private final Kernel kernel = Kernels.scalar();
  private final Reconstructor reconstructor = Reconstructor.standard().withKernel(kernel);
  private final ObjectNode manifest = json.createObjectNode();
  private final Path folder;

  private MakeVectors(Path folder) {
    this.folder = folder;
  }

  /**
   * @param args the folder to write to
   */
  public static void main(String[] args) throws IOException {
    MakeVectors make = new MakeVectors(Path.of(args[0]));
    make.valid();
    make.invalid();
    make.identities();
    Files.writeString(
        make.folder.resolve("manifest.json"), make.json.writeValueAsString(make.manifest) + "\n");
  }

  private void valid() throws IOException {
    manifest.put("format", AdapterFile.VERSION);
    ArrayNode valid = manifest.putArray("valid");
    ArrayNode merges = manifest.putArray("merges");
    for (Map.Entry<String, ValidFiles.Entry> entry : ValidFiles.all().entrySet()) {
      Adapter adapter = entry.getValue().adapter();
      ReconstructionDigest digest = reconstructor.digest(adapter);
      byte[] bytes = new AdapterFile(adapter, digest.root()).toBytes();
      String name = "valid/" + entry.getKey() + AdapterFile.EXTENSION;
      write(name, bytes);
      Function<Layer, Factors> factors = reconstructor.open(adapter);

      ObjectNode file = valid.addObject();
      file.put("file", name);
      file.put("about", entry.getValue().about());
      file.put("sha256", Sha256.hash(bytes).hex());
      file.put("generator", adapter.generator().id());
      file.put("seed", "%016x".formatted(adapter.seed()));
      file.put("digest", digest.root().hex());
      ArrayNode layers = file.putArray("layers");
      for (int i = 0; i < adapter.layers().size(); i++) {
        describe(layers.addObject(), factors.apply(adapter.layers().get(i)))
            .put("leaf", digest.layers().get(i).hex());
      }
      ArrayNode dense = file.putArray("dense");
      for (int i = 0; i < adapter.dense().size(); i++) {
        dense
            .addObject()
            .put("name", adapter.dense().get(i).name())
            .put("leaf", digest.dense().get(i).hex());
      }
      switch (entry.getKey()) {
        case "philox-uniform8-4-bit" -> merges(merges, name, adapter, factors, 0x1p6, -0.37);
        case "philox-srht-4-bit" -> merges(merges, name, adapter, factors, 1.0, 0x1p-20);
        case "philox-uniform24-8-bit-direct" -> merges(merges, name, adapter, factors, 1.0, -3.5);
        default -> {}
      }
    }
  }

  private ObjectNode describe(ObjectNode node, Factors factors) {
    Layer layer = factors.layer();
    node.put("tensor", layer.tensor());
    node.put("form", layer.coefficients() instanceof Direct ? "direct" : "low-rank");
    node.put("rows", layer.rows());
    node.put("cols", layer.cols());
    node.put("rank", factors.rank());
    node.put("stream", Integer.toUnsignedLong(layer.stream()));
    node.put("scale", bits(layer.scale()));
    first(node.putArray("a"), factors.a());
    float[] b = factors.b();
    if (b != null) {
      first(node.putArray("b"), b);
    }
    double[] delta = new double[(int) Math.min(FIRST, layer.elements())];
    factors.delta(0, delta, delta.length);
    ArrayNode deltas = node.putArray("delta");
    for (double value : delta) {
      deltas.add(bits((float) value));
    }
    return node;
  }

  private static void first(ArrayNode array, float[] values) {
    for (int e = 0; e < Math.min(FIRST, values.length); e++) {
      array.add(bits(values[e]));
    }
  }

  private static String bits(float value) {
    return "%08x".formatted(Float.floatToRawIntBits(value));
  }

  private void merges(
      ArrayNode merges,
      String file,
      Adapter adapter,
      Function<Layer, Factors> factors,
      double... weights) {
    Random random = new Random(1);
    Factors layer = factors.apply(adapter.layers().getFirst());
    for (DType dtype : DType.values()) {
      for (double weight : weights) {
        merge(merges, file, layer, dtype, 3, weight, ordinary(dtype, random, 48));
        merge(merges, file, layer, dtype, 0, weight, extraordinary(dtype));
      }
      merge(merges, file, layer, dtype, 0, 0x1p300, ordinary(dtype, random, 4));
    }
  }

  private void merge(
      ArrayNode merges,
      String file,
      Factors factors,
      DType dtype,
      long start,
      double weight,
      byte[] weights) {
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

  private void invalid() throws IOException {
    ArrayNode invalid = manifest.putArray("invalid");
    for (Map.Entry<String, InvalidFiles.Entry> entry : InvalidFiles.all().entrySet()) {
      String name = "invalid/" + entry.getKey() + AdapterFile.EXTENSION;
      write(name, entry.getValue().bytes());
      invalid
          .addObject()
          .put("file", name)
          .put("about", entry.getValue().about())
          .put("kind", entry.getValue().kind());
    }
  }

  private void identities() {
    ObjectNode identity = manifest.putArray("identities").addObject();
    ArrayNode tensors = identity.putArray("tensors");
    List<BaseIdentity.Tensor> all =
        List.of(
            tensor(tensors, "\uFF5A.weight", DType.F32, List.of(1), "0000803f"),
            tensor(tensors, "\uD83D\uDE00.weight", DType.BF16, List.of(2, 1), "803f0040"),
            tensor(tensors, "b.weight", DType.F16, List.of(1, 3), "003c00400042"));
    identity.put("identity", BaseIdentity.of(all).hex());
  }

  private static BaseIdentity.Tensor tensor(
      ArrayNode tensors, String name, DType dtype, List<Integer> shape, String data) {
    ObjectNode node = tensors.addObject().put("name", name).put("dtype", dtype.code());
    ArrayNode dims = node.putArray("shape");
    shape.forEach(dims::add);
    node.put("data", data);
    return BaseIdentity.Tensor.of(name, dtype, shape, MemorySegment.ofArray(HEX.parseHex(data)));
  }

  private void write(String name, byte[] bytes) throws IOException {
    Path path = folder.resolve(name);
    Files.createDirectories(path.getParent());
    Files.write(path, bytes);
  }
}

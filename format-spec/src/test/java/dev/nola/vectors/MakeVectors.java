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
import dev.nola.reconstruct.ReconstructionDigest;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
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
    make.computed();
    Files.writeString(
        make.folder.resolve("manifest.json"), make.json.writeValueAsString(make.manifest) + "\n");
  }

  private void valid() throws IOException {
    manifest.put("format", AdapterFile.VERSION);
    ArrayNode valid = manifest.putArray("valid");
    MakeMerges merges = new MakeMerges(kernel, manifest.putArray("merges"));
    for (Map.Entry<String, ValidFiles.Entry> entry : ValidFiles.all().entrySet()) {
      Adapter adapter = entry.getValue().adapter();
      ReconstructionDigest digest = reconstructor.digest(adapter);
      byte[] bytes = entry.getValue().withMinor(new AdapterFile(adapter, digest.root()).toBytes());
      String name = "valid/" + entry.getKey() + AdapterFile.EXTENSION;
      Function<Layer, Factors> factors = reconstructor.open(adapter);

      ObjectNode file = valid.addObject();
      file.put("file", name);
      file.put("about", entry.getValue().about());
      write(file, name, bytes);
      file.put("sha256", Sha256.hash(bytes).hex());
      file.put("generator", adapter.generator().id());
      file.put("seed", "%016x".formatted(adapter.seed()));
      file.put("digest", digest.root().hex());
      ArrayNode layers = file.putArray("layers");
      for (int i = 0; i < adapter.layers().size(); i++) {
        ObjectNode layer = describe(layers.addObject(), factors.apply(adapter.layers().get(i)));
        layer.put("leaf", digest.layers().get(i).hex());
        if (entry.getValue().isNew()) {
          exactDelta(layer, factors.apply(adapter.layers().get(i)));
        }
      }
      ArrayNode dense = file.putArray("dense");
      for (int i = 0; i < adapter.dense().size(); i++) {
        dense
            .addObject()
            .put("name", adapter.dense().get(i).name())
            .put("leaf", digest.dense().get(i).hex());
      }
      switch (entry.getKey()) {
        case "philox-uniform8-4-bit" -> merges.ofFile(name, adapter, factors, 0x1p6, -0.37);
        case "philox-srht-4-bit" -> merges.ofFile(name, adapter, factors, 1.0, 0x1p-20);
        case "philox-uniform24-8-bit-direct" -> merges.ofFile(name, adapter, factors, 1.0, -3.5);
        default -> merges.remember(name, adapter, factors);
      }
    }
    merges.several();
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

  private static void exactDelta(ObjectNode node, Factors factors) {
    double[] delta = new double[(int) Math.min(FIRST, factors.layer().elements())];
    factors.delta(0, delta, delta.length);
    ArrayNode deltas = node.putArray("delta64");
    for (double value : delta) {
      deltas.add("%016x".formatted(Double.doubleToRawLongBits(value)));
    }
  }

  private static void first(ArrayNode array, float[] values) {
    for (int e = 0; e < Math.min(FIRST, values.length); e++) {
      array.add(bits(values[e]));
    }
  }

  private static String bits(float value) {
    return "%08x".formatted(Float.floatToRawIntBits(value));
  }

  private void invalid() throws IOException {
    ArrayNode invalid = manifest.putArray("invalid");
    for (Map.Entry<String, InvalidEntries.Entry> entry : InvalidFiles.all().entrySet()) {
      String name = "invalid/" + entry.getKey() + AdapterFile.EXTENSION;
      ObjectNode file = invalid.addObject();
      file.put("file", name);
      file.put("about", entry.getValue().about());
      write(file, name, entry.getValue().bytes());
      file.put("kind", entry.getValue().kind());
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

  /** Stores a file, or says in its entry how to make it if it is large. */
  private void write(ObjectNode entry, String name, byte[] bytes) throws IOException {
    if (bytes.length > Recipe.STORED_BYTES) {
      Recipe.describe(bytes, entry);
      return;
    }
    Path path = folder.resolve(name);
    Files.createDirectories(path.getParent());
    Files.write(path, bytes);
  }

  private void computed() {
    ArrayNode computed = manifest.putArray("computed");
    ComputedLayer.all().forEach(layer -> layer.describe(computed.addObject(), kernel));
  }
}

package dev.nola.vectors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
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
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * Runs the golden vectors in {@code format-spec/vectors}, which are read and never written here.
 */
class ConformanceTest {
  private static final Path FOLDER = VectorFiles.FOLDER;
  private static final JsonNode MANIFEST = VectorFiles.manifest();
  private static final HexFormat HEX = HexFormat.of();

  private final Kernel kernel = Kernels.chosen();
  private final Reconstructor reconstructor = Reconstructor.standard();

  static Stream<Arguments> valid() {
    return each("valid");
  }

  static Stream<Arguments> invalid() {
    return each("invalid");
  }

  static Stream<Arguments> merges() {
    return each("merges");
  }

  static Stream<Arguments> computed() {
    return each("computed");
  }

  private static Stream<Arguments> each(String list) {
    return IntStream.range(0, MANIFEST.get(list).size())
        .mapToObj(i -> MANIFEST.get(list).get(i))
        .map(node -> Arguments.of(Named.of(name(node), node)));
  }

  private static String name(JsonNode node) {
    if (node.has("deltas")) {
      return node.get("deltas").get(0).get("file").asString() + " and others";
    }
    return node.get(node.has("file") ? "file" : "about").asString();
  }

  @Test
  void manifestHasAsManyVectorsAsTheSpecificationPromises() {
    assertThat(MANIFEST.get("valid").size()).isGreaterThanOrEqualTo(100);
    assertThat(MANIFEST.get("invalid").size()).isGreaterThanOrEqualTo(370);
  }

  @ParameterizedTest
  @MethodSource("valid")
  void validFileReconstructsToTheRecordedBits(JsonNode expected) throws IOException {
    byte[] bytes = VectorFiles.bytes(expected);
    assertThat(Sha256.hash(bytes).hex()).isEqualTo(expected.get("sha256").asString());

    AdapterFile file = AdapterFile.read(bytes);
    // A later minor is accepted, and written as this one.
    assertThat(new RawFile(file.toBytes()).set(6, bytes[6]).checksummed()).isEqualTo(bytes);
    assertThat(file.reconstructionDigest().hex()).isEqualTo(expected.get("digest").asString());
    assertThat(file.adapter().generator().id()).isEqualTo(expected.get("generator").asInt());
    assertThat("%016x".formatted(file.adapter().seed())).isEqualTo(expected.get("seed").asString());

    ReconstructionDigest digest = reconstructor.verify(file);
    JsonNode layers = expected.get("layers");
    assertThat(file.adapter().layers()).hasSize(layers.size());
    for (int i = 0; i < layers.size(); i++) {
      JsonNode layer = layers.get(i);
      Factors factors = reconstructor.open(file.adapter()).apply(file.adapter().layers().get(i));
      assertThat(factors.layer().tensor()).isEqualTo(layer.get("tensor").asString());
      assertThat(digest.layers().get(i).hex()).isEqualTo(layer.get("leaf").asString());
      assertFirst(layer.get("a"), factors.a());
      float[] b = factors.b();
      assertThat(b == null).isEqualTo(layer.get("b") == null);
      if (b != null) {
        assertFirst(layer.get("b"), b);
      }
      double[] delta = new double[layer.get("delta").size()];
      factors.delta(0, delta, delta.length);
      for (int e = 0; e < delta.length; e++) {
        assertThat(bits((float) delta[e])).isEqualTo(layer.get("delta").get(e).asString());
      }
      if (layer.has("delta64")) {
        assertExactDelta(layer.get("delta64"), factors);
      }
    }
    JsonNode dense = expected.get("dense");
    assertThat(file.adapter().dense()).hasSize(dense.size());
    for (int i = 0; i < dense.size(); i++) {
      assertThat(digest.dense().get(i).hex()).isEqualTo(dense.get(i).get("leaf").asString());
    }
  }

  @ParameterizedTest
  @MethodSource("invalid")
  void invalidFileIsRefusedAsTheRecordedKind(JsonNode expected) throws IOException {
    byte[] bytes = VectorFiles.bytes(expected);
    assertThatThrownBy(() -> reconstructor.verify(AdapterFile.read(bytes)))
        .isInstanceOfSatisfying(
            AdapterException.class,
            refused -> {
              assertThat(Kinds.of(refused))
                  .as(refused.getMessage())
                  .isEqualTo(expected.get("kind").asString());
              assertThat(refused.getMessage()).isNotBlank();
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"valid/metadata.nola", "valid/dense-of-every-type.nola"})
  void fileIsTheSameFromDiskAndFromMemory(String name) throws IOException {
    Path path = FOLDER.resolve(name);
    assertThat(AdapterFile.read(path)).isEqualTo(AdapterFile.read(Files.readAllBytes(path)));
  }

  @ParameterizedTest
  @MethodSource("computed")
  void layerOfRealSizeHasTheRecordedBits(JsonNode expected) throws IOException {
    Adapter adapter = ComputedLayer.of(expected).adapter();
    assertThat(reconstructor.digest(adapter).layers().getFirst().hex())
        .isEqualTo(expected.get("leaf").asString());
    assertExactDelta(
        expected.get("delta64"), reconstructor.open(adapter).apply(adapter.layers().getFirst()));
  }

  @ParameterizedTest
  @MethodSource("merges")
  void mergeReturnsTheRecordedBits(JsonNode expected) throws IOException {
    DType dtype = DType.ofCode(expected.get("dtype").asInt()).orElseThrow();
    long start = expected.get("from").asLong();
    MemorySegment weights = MemorySegment.ofArray(HEX.parseHex(expected.get("weights").asString()));
    List<WeightedDelta> deltas = new ArrayList<>();
    for (JsonNode delta : expected.has("deltas") ? expected.get("deltas") : List.of(expected)) {
      deltas.add(weighted(delta));
    }

    // In place, which must give the same bits as into other memory.
    if (expected.has("overflow")) {
      assertThatThrownBy(() -> Merge.merge(kernel, dtype, weights, weights, start, deltas))
          .isInstanceOfSatisfying(
              MergeOverflowException.class,
              e -> assertThat(e.element() - start).isEqualTo(expected.get("overflow").asLong()));
    } else {
      Merge.merge(kernel, dtype, weights, weights, start, deltas);
      assertThat(HEX.formatHex(weights.toArray(ValueLayout.JAVA_BYTE)))
          .isEqualTo(expected.get("merged").asString());
    }
  }

  private WeightedDelta weighted(JsonNode delta) throws IOException {
    Adapter adapter = AdapterFile.read(FOLDER.resolve(delta.get("file").asString())).adapter();
    return new WeightedDelta(
        reconstructor.open(adapter).apply(adapter.layers().get(delta.get("layer").asInt())),
        Double.longBitsToDouble(Long.parseUnsignedLong(delta.get("weight").asString(), 16)));
  }

  @Test
  void doubleRoundingVectorShowsBothRoundings() throws IOException {
    Adapter adapter = AdapterFile.read(FOLDER.resolve("valid/double-rounding.nola")).adapter();
    Layer layer = adapter.layers().getFirst();
    assertThat(DoubleRounding.roundsTwice(DoubleRounding.element0(adapter), layer.scale()))
        .isTrue();
  }

  @Test
  void baseIdentityIsTheRecordedOneInAnyOrder() {
    JsonNode expected = MANIFEST.get("identities").get(0);
    List<BaseIdentity.Tensor> tensors = new ArrayList<>();
    for (JsonNode tensor : expected.get("tensors")) {
      List<Integer> shape = new ArrayList<>();
      tensor.get("shape").forEach(dim -> shape.add(dim.asInt()));
      tensors.add(
          BaseIdentity.Tensor.of(
              tensor.get("name").asString(),
              DType.ofCode(tensor.get("dtype").asInt()).orElseThrow(),
              shape,
              MemorySegment.ofArray(HEX.parseHex(tensor.get("data").asString()))));
    }
    assertThat(BaseIdentity.of(tensors).hex()).isEqualTo(expected.get("identity").asString());
    Collections.reverse(tensors);
    assertThat(BaseIdentity.of(tensors).hex()).isEqualTo(expected.get("identity").asString());
  }

  private static void assertExactDelta(JsonNode expected, Factors factors) {
    double[] delta = new double[expected.size()];
    factors.delta(0, delta, delta.length);
    for (int e = 0; e < delta.length; e++) {
      assertThat("%016x".formatted(Double.doubleToRawLongBits(delta[e])))
          .isEqualTo(expected.get(e).asString());
    }
  }

  private static void assertFirst(JsonNode expected, float[] actual) {
    for (int e = 0; e < expected.size(); e++) {
      assertThat(bits(actual[e])).isEqualTo(expected.get(e).asString());
    }
  }

  private static String bits(float value) {
    return "%08x".formatted(Float.floatToRawIntBits(value));
  }
}

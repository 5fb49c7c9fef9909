package dev.nola.client.factors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.client.Progress;
import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.client.safetensors.Tensor;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FactorsFileTest {
  private static final Codes CODES = Codes.of(4, 1, 15, 7);
  private static final Layer WHOLE =
      Layer.ofMatrix("a", 300, 400, 0, 0x1p-9f, new LowRank(2, CODES, CODES));
  private static final Layer SLICE =
      new Layer("b", List.of(4, 9), new Slice(1, 3, 5), 10, 2, 1, 1, new LowRank(1, CODES, CODES));
  private static final Layer DIRECT = Layer.ofMatrix("c", 3, 4, 2, 0.5f, new Direct(CODES));
  private static final Adapter ADAPTER =
      Adapter.builder()
          .generator(Generator.UNIFORM24)
          .layer(WHOLE)
          .layer(SLICE)
          .layer(DIRECT)
          .dense(
              new DenseTensor(
                  "head", DType.BF16, List.of(2), MemorySegment.ofArray(new byte[] {1, 2, 3, 4})))
          .build();

  @TempDir private Path folder;

  private static AdapterFile sealed() throws Exception {
    return Reconstructor.standard().seal(ADAPTER);
  }

  private static Factors factors(Layer layer) throws Exception {
    return Reconstructor.standard().open(ADAPTER).apply(layer);
  }

  private static float[] floats(Tensor tensor) {
    return tensor
        .data()
        .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
  }

  @Test
  void factorsAreWrittenAsTheyAre() throws Exception {
    Path file = folder.resolve("factors.safetensors");
    FactorsFile.write(sealed(), FactorsFile.Form.FACTORS, file, Progress.NONE);
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      assertThat(read.tensors().keySet())
          .containsExactlyInAnyOrder(
              "a.nola_A", "a.nola_B", "b[1:3:8].nola_A", "b[1:3:8].nola_B", "c.nola_delta", "head");
      assertThat(floats(read.tensors().get("a.nola_A"))).isEqualTo(factors(WHOLE).a());
      assertThat(floats(read.tensors().get("a.nola_B"))).isEqualTo(factors(WHOLE).b());
      assertThat(read.tensors().get("a.nola_B").shape()).containsExactly(2L, 400L);
      assertThat(floats(read.tensors().get("c.nola_delta"))).isEqualTo(factors(DIRECT).a());
      assertThat(read.tensors().get("head").type()).isEqualTo("BF16");
      assertThat(read.metadata())
          .containsEntry("nola.reconstructionDigest", sealed().reconstructionDigest().toString());
    }
  }

  @Test
  void deltasAreWrittenInTheStoredShape() throws Exception {
    Path file = folder.resolve("deltas.safetensors");
    FactorsFile.write(sealed(), FactorsFile.Form.DELTAS, file, Progress.NONE);
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      assertThat(read.tensors().get("a.nola_delta").shape()).containsExactly(300L, 400L);
      assertThat(read.tensors().get("b[1:3:8].nola_delta").shape()).containsExactly(4L, 5L);
      for (Layer layer : List.of(WHOLE, SLICE)) {
        double[] delta = new double[(int) layer.elements()];
        factors(layer).delta(0, delta, delta.length);
        float[] rounded = new float[delta.length];
        for (int i = 0; i < delta.length; i++) {
          rounded[i] = (float) delta[i];
        }
        String name = layer == WHOLE ? "a.nola_delta" : "b[1:3:8].nola_delta";
        assertThat(floats(read.tensors().get(name))).isEqualTo(rounded);
      }
    }
  }

  @Test
  void aWrongDigestOrAFileThatIsThereLeavesNothingNew() throws Exception {
    Path file = folder.resolve("factors.safetensors");
    AdapterFile forged = new AdapterFile(ADAPTER, Sha256.hash(new byte[0]));
    assertThatThrownBy(
            () -> FactorsFile.write(forged, FactorsFile.Form.FACTORS, file, Progress.NONE))
        .isInstanceOf(DigestMismatchException.class);
    assertThat(folder).isEmptyDirectory();
    Files.writeString(file, "mine");
    assertThatThrownBy(
            () -> FactorsFile.write(sealed(), FactorsFile.Form.FACTORS, file, Progress.NONE))
        .isInstanceOf(FileAlreadyExistsException.class);
    assertThat(file).hasContent("mine");
  }
}

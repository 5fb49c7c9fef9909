package dev.nola.client.export.peft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.LoraExport;
import dev.nola.client.export.RoundedFactors;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Reconstructor;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PeftFolderTest {
  private static final String LAYER = "transformer.h.0.";

  @TempDir private Path temporary;

  /** Linear and transposed modules, slices of one weight, and dense tensors of a wider type. */
  private AdapterFile mixed() throws Exception {
    List<Integer> shape = List.of(16, 48);
    MemorySegment dense = MemorySegment.ofArray(new byte[4 * 5]);
    return Reconstructor.standard()
        .seal(
            Adapter.builder()
                .generator(Generator.SRHT)
                .base(new BaseModel("acme/gpt2", "main", null))
                .layer(slice(shape, new Slice(1, 0, 16), 2))
                .layer(slice(shape, new Slice(1, 16, 32), 3))
                .layer(matrix("transformer.h.0.mlp.c_fc", 16, 64, 4))
                .layer(matrix("other.linear", 24, 16, 5))
                .dense(new DenseTensor("score.weight", DType.F32, List.of(5), dense))
                .build());
  }

  private static Layer matrix(String module, int rows, int cols, int rank) {
    Codes codes = Codes.of(4, 2, 9, 14, 5);
    return Layer.ofMatrix(
        module + ".weight", rows, cols, rows, 0x1p-9f, new LowRank(rank, codes, codes));
  }

  private static Layer slice(List<Integer> shape, Slice slice, int rank) {
    Codes codes = Codes.of(4, 1, 7, 3, 15);
    return new Layer(
        LAYER + "attn.c_attn.weight",
        shape,
        slice,
        16,
        slice.length(),
        slice.start(),
        0x1p-9f,
        new LowRank(rank, codes, codes));
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void filesAreThoseThatAnExportWrites(DType dtype) throws Exception {
    AdapterFile file = mixed();
    Path exported = temporary.resolve("exported");
    LoraExport.of(file, PeftFormat.STANDARD).dtype(dtype).build().write(exported);

    PeftFolder folder = PeftFolder.of(file, dtype);
    RoundedFactors factors =
        RoundedFactors.measured(Reconstructor.standard().open(file.adapter()), dtype);
    ByteArrayOutputStream weights = new ByteArrayOutputStream();
    for (PeftWeights.Part part : folder.weights().parts()) {
      assertThat(part.offset()).isEqualTo(weights.size());
      weights.writeBytes(make(folder, part, factors));
      assertThat(part.offset() + part.bytes()).isEqualTo(weights.size());
    }

    assertThat(folder.config()).isEqualTo(read(exported, PeftFolder.CONFIG));
    assertThat(folder.weights().bytes()).isEqualTo(weights.size());
    assertThat(weights.toByteArray()).isEqualTo(read(exported, PeftFolder.WEIGHTS));
    assertThat(folder.card(factors.error())).isEqualTo(read(exported, PeftFolder.CARD));
  }

  @Test
  void eachPartIsMadeWithoutTheOthers() throws Exception {
    AdapterFile file = mixed();
    Path exported = temporary.resolve("exported");
    LoraExport.of(file, PeftFormat.STANDARD).dtype(DType.F16).build().write(exported);
    byte[] expected = read(exported, PeftFolder.WEIGHTS);

    PeftFolder folder = PeftFolder.of(file, DType.F16);
    List<PeftWeights.Part> parts = new ArrayList<>(folder.weights().parts());
    Collections.shuffle(parts, new Random(1));
    for (PeftWeights.Part part : parts) {
      RoundedFactors factors =
          RoundedFactors.unmeasured(Reconstructor.standard().open(file.adapter()), DType.F16);
      int offset = (int) part.offset();
      assertThat(make(folder, part, factors))
          .isEqualTo(Arrays.copyOfRange(expected, offset, offset + (int) part.bytes()));
      assertThat(factors.error().error()).isZero();
    }
  }

  @Test
  void adapterThatIsNoLoraIsRefused() throws Exception {
    AdapterFile file =
        Reconstructor.standard()
            .seal(
                Adapter.builder()
                    .generator(Generator.SRHT)
                    .layer(
                        Layer.ofMatrix(
                            "model.q_proj.weight", 8, 8, 0, 1, new Direct(Codes.of(4, 1, 2))))
                    .build());

    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> PeftFolder.of(file, DType.F16))
        .withMessageContaining("is in the direct form");
  }

  private static byte[] make(PeftFolder folder, PeftWeights.Part part, RoundedFactors factors)
      throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      return folder.weights().make(part, factors, arena).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static byte[] read(Path folder, String name) throws Exception {
    return Files.readAllBytes(folder.resolve(name));
  }
}

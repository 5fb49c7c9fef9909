package dev.nola.client.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.CudaException;
import dev.nola.reconstruct.Reconstructor;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GpuMergeTest {
  private static final int ILLEGAL_ADDRESS = 700;
  private static final long STANDARD_MEMORY = 4L << 30;
  private static final Codes CODES = Codes.of(4, 1, 15, 3);

  @TempDir private Path folder;

  @Test
  void gpuThatFailsWhileTensorsAreMerged_isReportedAndLeavesNothing() throws Exception {
    Path base =
        new TestModel()
            .with("first", DType.F32, 3, 4)
            .with("second", DType.F32, 3, 4)
            .writeFile(folder.resolve("base.safetensors"));
    Adapter adapter =
        Adapter.builder()
            .generator(Generator.RADEMACHER)
            .layer(Layer.ofMatrix("first", 3, 4, 0, 0x1p-8f, new LowRank(1, CODES, CODES)))
            .layer(Layer.ofMatrix("second", 3, 4, 1, 0x1p-8f, new LowRank(1, CODES, CODES)))
            .build();
    Optional<CudaDevice> opened = StandInGpu.open();
    assumeTrue(opened.isPresent());
    try (CudaDevice gpu = opened.orElseThrow()) {
      ModelMerge merge =
          ModelMerge.into(base)
              .adapter(Reconstructor.standard().seal(adapter))
              .threads(1)
              .gpu(gpu)
              .progress((done, total) -> StandInGpu.setLaunchError(ILLEGAL_ADDRESS))
              .build();
      assertThatExceptionOfType(CudaException.class)
          .isThrownBy(() -> merge.write(folder.resolve("merged.safetensors")))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(CudaException.Reason.CONTEXT_LOST));
    } finally {
      StandInGpu.setLaunchError(0);
    }
    assertThat(folder).isDirectoryNotContaining(path -> !path.equals(base));
  }

  @Test
  void tensorBeyondTheMemory_isMergedOnTheCpu_withAWarning() throws Exception {
    int large = 1000;
    Path base =
        new TestModel()
            .with("first", DType.F32, 3, 4)
            .with("second", DType.F32, large, large)
            .writeFile(folder.resolve("base.safetensors"));
    Adapter adapter =
        Adapter.builder()
            .generator(Generator.RADEMACHER)
            .layer(Layer.ofMatrix("first", 3, 4, 0, 0x1p-8f, new LowRank(1, CODES, CODES)))
            .layer(Layer.ofMatrix("second", large, large, 1, 0x1p-8f, new LowRank(1, CODES, CODES)))
            .build();
    AdapterFile file = Reconstructor.standard().seal(adapter);
    Path onCpu = folder.resolve("cpu.safetensors");
    assertThat(
            ModelMerge.into(base)
                .adapter(file)
                .baseCheck(ModelMerge.BaseCheck.SKIP)
                .build()
                .write(onCpu)
                .warnings())
        .isEmpty();
    Optional<CudaDevice> opened = StandInGpu.open();
    assumeTrue(opened.isPresent());
    try (CudaDevice gpu = opened.orElseThrow()) {
      StandInGpu.setMemory(large * large * Float.BYTES);
      Path merged = folder.resolve("merged.safetensors");
      ModelMerge merge =
          ModelMerge.into(base)
              .adapter(file)
              .baseCheck(ModelMerge.BaseCheck.SKIP)
              .threads(1)
              .gpu(gpu)
              .build();
      assertThat(merge.write(merged).warnings())
          .containsExactly("GPU memory too small: 1 of 2 tensors; they were merged on the CPU");
      assertThat(merged).hasSameBinaryContentAs(onCpu);
      StandInGpu.setMemory(STANDARD_MEMORY);
      assertThat(merge.write(folder.resolve("again.safetensors")).warnings()).isEmpty();
    } finally {
      StandInGpu.setMemory(STANDARD_MEMORY);
    }
  }

  @Test
  void callsOfTheDriverThatFail_leakNothing() throws Exception {
    Path base =
        new TestModel()
            .with("first", DType.F32, 3, 4)
            .writeFile(folder.resolve("base.safetensors"));
    Adapter adapter =
        Adapter.builder()
            .generator(Generator.RADEMACHER)
            .layer(Layer.ofMatrix("first", 3, 4, 0, 0x1p-8f, new LowRank(1, CODES, CODES)))
            .build();
    AdapterFile file = Reconstructor.standard().seal(adapter);
    assumeTrue(StandInGpu.open().map(GpuMergeTest::closed).isPresent());
    int failures = 0;
    int before = StandInGpu.held();
    try {
      while (true) {
        Path merged = folder.resolve("merged" + failures + ".safetensors");
        try (CudaDevice gpu = CudaDevice.open()) {
          StandInGpu.setFailAfter(failures);
          ModelMerge.into(base)
              .adapter(file)
              .adapter(file, 2)
              .baseCheck(ModelMerge.BaseCheck.SKIP)
              .threads(1)
              .gpu(gpu)
              .build()
              .write(merged);
          StandInGpu.setFailAfter(-1);
          break;
        } catch (CudaException e) {
          assertThat(e).hasMessageContaining("error 1 of ");
          failures++;
        }
        StandInGpu.setFailAfter(-1);
        assertThat(StandInGpu.held()).as("after failure %d", failures).isEqualTo(before);
      }
    } finally {
      StandInGpu.setFailAfter(-1);
    }
    assertThat(StandInGpu.held()).isEqualTo(before);
    assertThat(failures).isPositive();
  }

  private static CudaDevice closed(CudaDevice device) {
    device.close();
    return device;
  }

  /** Two slices that overlap in part cannot be merged one after the other. */
  @Test
  void layersThatDivideATensorDifferently_areMergedOnTheCpu_withAWarning() throws Exception {
    Path base =
        new TestModel()
            .with("first", DType.F32, 6, 4)
            .writeFile(folder.resolve("base.safetensors"));
    AdapterFile lower = Reconstructor.standard().seal(slice(new Slice(0, 0, 4), 4, 4));
    AdapterFile upper = Reconstructor.standard().seal(slice(new Slice(0, 2, 4), 4, 4));
    Optional<CudaDevice> opened = StandInGpu.open();
    assumeTrue(opened.isPresent());
    try (CudaDevice gpu = opened.orElseThrow()) {
      ModelMerge merge =
          ModelMerge.into(base)
              .adapter(lower)
              .adapter(upper)
              .baseCheck(ModelMerge.BaseCheck.SKIP)
              .gpu(gpu)
              .build();
      assertThat(merge.write(folder.resolve("merged.safetensors")).warnings())
          .containsExactly(
              "layers that divide a tensor differently, or more than 64 of them: 1 of 1 tensors; they were merged on the CPU");
    }
  }

  private static Adapter slice(Slice slice, int rows, int cols) {
    LowRank coefficients = new LowRank(1, CODES, CODES);
    return Adapter.builder()
        .generator(Generator.RADEMACHER)
        .layer(new Layer("first", List.of(6, 4), slice, rows, cols, 0, 0x1p-8f, coefficients))
        .build();
  }
}

package dev.nola.client.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.generator.Generator;
import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.CudaException;
import dev.nola.reconstruct.Reconstructor;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GpuMergeTest {
  private static final int ILLEGAL_ADDRESS = 700;
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
}

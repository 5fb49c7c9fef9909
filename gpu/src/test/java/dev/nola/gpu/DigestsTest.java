package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import dev.nola.gpu.check.SampleAdapters;
import dev.nola.reconstruct.ReconstructionDigest;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares digests from a device with those of files and of the CPU. */
class DigestsTest extends DeviceTest {
  @ParameterizedTest
  @MethodSource("dev.nola.gpu.KernelsTest#vectors")
  void digests_conformanceVector_rootOfFile(Path path) throws IOException {
    AdapterFile file = AdapterFile.read(path);
    if (!file.adapter().layers().isEmpty()) {
      assertThat(digests(List.of(file.adapter())).getFirst().root())
          .isEqualTo(file.reconstructionDigest());
    }
  }

  @Test
  void digests_severalAdapters_sameAsCpu() throws LimitExceededException {
    List<Adapter> adapters = SampleAdapters.alike(Generator.SRHT, 5);
    List<ReconstructionDigest> digests = digests(adapters);
    for (int n = 0; n < adapters.size(); n++) {
      assertThat(digests.get(n)).isEqualTo(Reconstructor.standard().digest(adapters.get(n)));
    }
  }

  @Test
  void digests_littleMemory_inParts() throws LimitExceededException {
    List<Adapter> adapters = SampleAdapters.alike(Generator.SRHT, 5);
    long one = 4L * FactorPlan.of(adapters.getFirst()).elements();
    driver.set("memory", 5 * one);
    try {
      List<ReconstructionDigest> digests = digests(adapters);
      assertThat(digests.getLast()).isEqualTo(Reconstructor.standard().digest(adapters.getLast()));
    } finally {
      driver.set("memory", 4L << 30);
    }
  }

  private List<ReconstructionDigest> digests(List<Adapter> adapters) {
    try (AdapterPlan plan = AdapterPlan.of(device, adapters.getFirst())) {
      return plan.digests(adapters);
    }
  }
}

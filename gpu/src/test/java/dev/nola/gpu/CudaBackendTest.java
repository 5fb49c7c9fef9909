package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import dev.nola.gpu.check.SampleAdapters;
import dev.nola.reconstruct.Budget;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares the factors and digests that a device hands to the host with those of the CPU. */
class CudaBackendTest extends DeviceTest {
  private CudaBackend backend;

  @BeforeEach
  void openBackend() {
    backend = CudaBackend.on(device);
  }

  @AfterEach
  void closeBackend() {
    if (backend != null) {
      backend.close();
    }
  }

  @ParameterizedTest
  @MethodSource("dev.nola.gpu.KernelsTest#vectors")
  void conformanceVector_verifies_andHasTheFactorsOfTheCpu(Path path) throws IOException {
    AdapterFile file = AdapterFile.read(path);
    assertThat(backend.verify(file).root()).isEqualTo(file.reconstructionDigest());
    requireSameFactors(file.adapter(), backend.open(file.adapter()));
  }

  @Test
  void adaptersInTurns_haveTheirOwnFactors() throws LimitExceededException {
    List<Adapter> alike = SampleAdapters.alike(Generator.SRHT, 2);
    Adapter other = SampleAdapters.alike(Generator.UNIFORM8, 1).getFirst();
    Function<Layer, Factors> first = backend.open(alike.get(0));
    Function<Layer, Factors> second = backend.open(alike.get(1));
    Function<Layer, Factors> third = backend.open(other);
    for (int round = 0; round < 2; round++) {
      requireSameFactors(alike.get(0), first);
      requireSameFactors(alike.get(1), second);
      requireSameFactors(other, third);
    }
  }

  @Test
  void layersOfTwoAdaptersInTurns_areComputedOnce() throws LimitExceededException {
    List<Adapter> alike = SampleAdapters.toMerge(2);
    List<Function<Layer, Factors>> opened =
        List.of(backend.open(alike.getFirst()), backend.open(alike.getLast()));
    long before = driver.launches("uniform8_f32");
    for (int layer = 0; layer < alike.getFirst().layers().size(); layer++) {
      for (int n = 0; n < 2; n++) {
        opened.get(n).apply(alike.get(n).layers().get(layer));
      }
    }
    // One for low-rank layers, one for those in the direct form.
    assertThat(driver.launches("uniform8_f32") - before).isEqualTo(2 * 2);
  }

  @Test
  void memoryForOneAdapter_dropsTheOther() throws LimitExceededException {
    List<Adapter> alike = SampleAdapters.alike(Generator.SRHT, 2);
    Adapter other = SampleAdapters.alike(Generator.UNIFORM8, 1).getFirst();
    long factors;
    try (AdapterPlan plan = AdapterPlan.of(device, other)) {
      factors = plan.factorBytes(DType.F32);
    }
    driver.set("memory", factors * 3 / 2);
    try {
      for (Adapter adapter : List.of(alike.getFirst(), alike.getLast(), other)) {
        requireSameFactors(adapter, backend.open(adapter));
        assertThat(backend.digest(adapter)).isEqualTo(Reconstructor.standard().digest(adapter));
      }
    } finally {
      driver.set("memory", 4L << 30);
    }
  }

  private static void requireSameFactors(Adapter adapter, Function<Layer, Factors> actual)
      throws LimitExceededException {
    Function<Layer, Factors> expected = Reconstructor.standard().open(adapter);
    for (Layer layer : adapter.layers()) {
      assertThat(bits(actual.apply(layer).a())).isEqualTo(bits(expected.apply(layer).a()));
      assertThat(bits(actual.apply(layer).b())).isEqualTo(bits(expected.apply(layer).b()));
    }
  }

  private static int[] bits(float[] factor) {
    int[] bits = new int[factor == null ? 0 : factor.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(factor[i]);
    }
    return bits;
  }

  @Test
  void adapterBeyondTheBudget_isRefused() {
    Adapter adapter = SampleAdapters.alike(Generator.SRHT, 1).getFirst();
    CudaBackend small = backend.withBudget(new Budget(1, 1));
    assertThatThrownBy(() -> small.open(adapter)).isInstanceOf(LimitExceededException.class);
    assertThatThrownBy(() -> small.digest(adapter)).isInstanceOf(LimitExceededException.class);
  }

  @Test
  void failedKernel_losesTheDevice_alsoForTheNextAdapter() throws LimitExceededException {
    Adapter adapter = SampleAdapters.alike(Generator.SRHT, 1).getFirst();
    Function<Layer, Factors> factors = backend.open(adapter);
    driver.set("launchError", 700);
    try {
      for (int attempt = 0; attempt < 2; attempt++) {
        assertThatThrownBy(() -> factors.apply(adapter.layers().getFirst()))
            .isInstanceOfSatisfying(
                CudaException.class,
                failure ->
                    assertThat(failure.reason()).isEqualTo(CudaException.Reason.CONTEXT_LOST));
      }
    } finally {
      driver.set("launchError", 0);
    }
  }
}

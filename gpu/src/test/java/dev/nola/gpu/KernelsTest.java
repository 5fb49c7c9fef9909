package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import dev.nola.gpu.check.Comparison;
import dev.nola.gpu.check.SampleAdapters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Runs the CUDA kernels on the CPU and compares every bit with the Java reconstruction. Threads
 * continue in a random order after barriers, so a missing barrier makes a wrong bit.
 */
class KernelsTest extends DeviceTest {
  private static final Path VECTORS = Path.of("../format-spec/vectors/valid");

  static Stream<Path> vectors() throws IOException {
    try (Stream<Path> files = Files.list(VECTORS)) {
      return files
          .filter(file -> file.toString().endsWith(AdapterFile.EXTENSION))
          .sorted()
          .toList()
          .stream();
    }
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void kernels_conformanceVector_sameBits(Path file) throws IOException {
    Adapter adapter = AdapterFile.read(file).adapter();
    if (!adapter.layers().isEmpty()) {
      requireSameBits(List.of(adapter), DType.F32);
    }
  }

  @ParameterizedTest
  @EnumSource(Generator.class)
  void kernels_oddSizesAndWidths_sameBits(Generator generator) throws IOException {
    for (Adapter adapter : SampleAdapters.odd(generator)) {
      requireSameBits(List.of(adapter), DType.F32);
    }
  }

  @ParameterizedTest
  @EnumSource(Generator.class)
  void kernels_halves_roundedFromF32(Generator generator) throws IOException {
    for (Adapter adapter : SampleAdapters.small(generator)) {
      requireSameBits(List.of(adapter), DType.F16);
      requireSameBits(List.of(adapter), DType.BF16);
    }
  }

  @ParameterizedTest
  @EnumSource(Generator.class)
  void kernels_multipliers_roundedOnce(Generator generator) throws IOException {
    ElementType balanced = new ElementType(DType.F16, 0x1p10f, 0x1p-10f);
    for (Adapter adapter : SampleAdapters.small(generator)) {
      requireSameBits(List.of(adapter), balanced);
    }
  }

  @Test
  void elementType_multipliers_powersOfTwo() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ElementType(DType.F16, 3, 1))
        .withMessage("invalid multiplier: 3.0; must be a power of two, so that it rounds nothing");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ElementType(DType.F32, 2, 1))
        .withMessageContaining("must be 1");
  }

  @ParameterizedTest
  @EnumSource(Generator.class)
  void kernels_severalAdaptersInOneLaunch_sameBits(Generator generator) throws IOException {
    requireSameBits(SampleAdapters.alike(generator, 3), DType.F32);
  }

  @Test
  void samples_allGenerators_useEveryKernel() {
    Set<FactorKernel> used = EnumSet.noneOf(FactorKernel.class);
    for (Generator generator : Generator.values()) {
      SampleAdapters.odd(generator).stream()
          .flatMap(adapter -> FactorPlan.of(adapter).launches().stream())
          .forEach(launch -> used.add(launch.kernel()));
    }
    assertThat(used).containsExactlyInAnyOrder(FactorKernel.values());
  }

  private void requireSameBits(List<Adapter> adapters, DType dtype) throws LimitExceededException {
    requireSameBits(adapters, ElementType.of(dtype));
  }

  private void requireSameBits(List<Adapter> adapters, ElementType type)
      throws LimitExceededException {
    for (long order : ORDERS) {
      driver.set("order", order);
      Comparison comparison = new Comparison(device);
      comparison.compare(adapters, type);
      assertThat(comparison.wrong()).as("layers with a wrong bit, order %d", order).isZero();
    }
  }
}

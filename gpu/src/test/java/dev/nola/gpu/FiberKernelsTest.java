package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.gpu.check.SampleAdapters;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Runs the CUDA kernels on the CPU and compares every bit with the Java reconstruction. The order
 * of threads between barriers is random, so a missing barrier makes a wrong bit.
 */
class FiberKernelsTest {
  private static final Path VECTORS = Path.of("../format-spec/vectors/valid");
  private static final long[] ORDERS = {0, 1, 0x9E3779B97F4A7C15L};

  @TempDir static Path folder;
  private static FiberKernels kernels;

  @BeforeAll
  static void compileKernels() throws InterruptedException {
    FiberKernels compiled = FiberKernels.compile(folder).orElse(null);
    if (compiled == null) {
      System.out.println("SKIPPED: the CUDA kernels were not run on the CPU; there is no g++");
    }
    assumeTrue(compiled != null, "g++ not found");
    kernels = compiled;
  }

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
  void kernels_severalAdaptersInOneLaunch_sameBits(Generator generator) throws IOException {
    requireSameBits(SampleAdapters.alike(generator, 3), DType.F32);
  }

  @Test
  void kernels_allSamples_everyKernelUsed() {
    Set<FactorKernel> used = EnumSet.noneOf(FactorKernel.class);
    for (Generator generator : Generator.values()) {
      SampleAdapters.odd(generator).stream()
          .flatMap(adapter -> FactorPlan.of(adapter).launches().stream())
          .forEach(launch -> used.add(launch.kernel()));
    }
    assertThat(used).containsExactlyInAnyOrder(FactorKernel.values());
  }

  private static void requireSameBits(List<Adapter> adapters, DType dtype)
      throws LimitExceededException {
    FactorPlan plan = FactorPlan.of(adapters.getFirst());
    assertThat(adapters).allMatch(plan::accepts);
    List<List<Factors>> expected = new ArrayList<>();
    for (Adapter adapter : adapters) {
      expected.add(Reconstructor.standard().factors(adapter));
    }
    for (long order : ORDERS) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment output =
            kernels.reconstruct(plan, adapters, ElementType.of(dtype), order, arena);
        for (int n = 0; n < adapters.size(); n++) {
          for (int layer = 0; layer < plan.layers(); layer++) {
            Factors factors = expected.get(n).get(layer);
            for (Side side : Side.values()) {
              float[] values = side == Side.A ? factors.a() : factors.b();
              FactorPlan.Place place = plan.place(layer, side);
              assertThat(place.length()).isEqualTo(values == null ? 0 : values.length);
              if (values != null) {
                MemorySegment actual =
                    output.asSlice(
                        (n * plan.elements() + place.start()) * dtype.bytes(),
                        (long) place.length() * dtype.bytes());
                assertThat(actual.mismatch(Halves.rounded(values, dtype)))
                    .as("%s, layer %d, side %s, order %d", adapters.get(n), layer, side, order)
                    .isEqualTo(-1);
              }
            }
          }
        }
      }
    }
  }
}

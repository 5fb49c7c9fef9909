package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.gpu.check.SampleAdapters;
import dev.nola.kernel.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Compares transposed products from a device with those of the scalar kernel, bit by bit. */
class ProjectTest extends DeviceTest {
  @ParameterizedTest
  @EnumSource(Generator.class)
  void project_smallAdapter_sameBits(Generator generator) {
    requireSameBits(SampleAdapters.small(generator).getFirst());
  }

  @ParameterizedTest
  @EnumSource(Generator.class)
  void project_largeFactors_sameBits(Generator generator) {
    requireSameBits(SampleAdapters.alike(generator, 1).getFirst());
  }

  private void requireSameBits(Adapter adapter) {
    SplittableRandom random = new SplittableRandom(7);
    for (long order : ORDERS) {
      driver.set("order", order);
      try (Arena arena = Arena.ofConfined();
          AdapterPlan plan = AdapterPlan.of(device, adapter);
          DeviceFactors gradient = plan.allocate(DType.F32, 1);
          DeviceProducts products = plan.allocateProducts()) {
        MemorySegment host = arena.allocate(gradient.bytes(), 8);
        for (long e = 0; e < gradient.bytes() / Float.BYTES; e++) {
          double scale = Math.scalb(1.0, random.nextInt(-20, 4));
          host.setAtIndex(ValueLayout.JAVA_FLOAT, e, (float) (random.nextDouble(-1, 1) * scale));
        }
        gradient.copyFrom(host);
        plan.project(adapter.seed(), gradient, products);
        device.synchronize();
        for (int i = 0; i < adapter.layers().size(); i++) {
          for (Side side : Side.values()) {
            Layer layer = adapter.layers().get(i);
            Basis basis = layer.basis(adapter.generator(), adapter.seed(), side);
            Codes codes = layer.codes(side);
            double[] actual = products.copy(i, side);
            if (basis == null || codes == null) {
              assertThat(actual).isEmpty();
              continue;
            }
            long offset = gradient.address(0, i, side) - gradient.address(0, 0, Side.A);
            float[] ofFactor =
                host.asSlice(offset, (long) basis.length() * Float.BYTES)
                    .toArray(ValueLayout.JAVA_FLOAT);
            double[] expected = new double[codes.count()];
            Kernels.scalar().project(basis, ofFactor, expected);
            assertThat(actual).as("layer %d, side %s", i, side).containsExactly(expected);
          }
        }
      }
    }
  }
}

package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Adapter;
import dev.nola.generator.Generator;
import dev.nola.gpu.check.Comparison;
import dev.nola.gpu.check.SampleAdapters;
import dev.nola.gpu.check.WorkComparison;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Compares transposed products from a device with those of the CPU, bit by bit. */
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
    for (long order : ORDERS) {
      driver.set("order", order);
      Comparison comparison = new Comparison(device);
      new WorkComparison(device, comparison).compareProducts(adapter);
      assertThat(comparison.wrong()).as("wrong products, order %d", order).isZero();
    }
  }
}

package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.gpu.check.Comparison;
import dev.nola.gpu.check.SampleAdapters;
import dev.nola.gpu.check.WorkComparison;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Compares factors and products of a step on a device with those of the CPU. */
class TrainingFactorsTest extends DeviceTest {
  @ParameterizedTest
  @EnumSource(Generator.class)
  void step_hasTheBitsOfTheCpu_andAnotherOneToo(Generator generator) {
    Comparison comparison = new Comparison(device);
    new WorkComparison(device, comparison)
        .compareTraining(SampleAdapters.small(generator).getFirst());
    assertThat(comparison.wrong()).isZero();
  }

  @Test
  void codesOfAnotherNumberOrWidth_areRefused() {
    Adapter adapter = SampleAdapters.small(Generator.SRHT).getFirst();
    Codes codes = Objects.requireNonNull(adapter.layers().getFirst().codes(Side.A));
    try (TrainingFactors factors = TrainingFactors.open(device, adapter)) {
      for (Codes other :
          List.of(
              Codes.of(codes.bits(), new int[codes.count() + 1]),
              Codes.of(codes.bits() + 1, new int[codes.count()]))) {
        assertThatThrownBy(() -> factors.set(0, Side.A, other, 1))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage(
                "wrong codes of side A of layer 0: %d of %d bits; must be %d of %d bits",
                other.count(), other.bits(), codes.count(), codes.bits());
      }
    }
  }

  @Test
  void tooLittleMemory_leavesNothingAllocated() {
    Adapter adapter = SampleAdapters.small(Generator.SRHT).getFirst();
    long memory = 0;
    int failures = 0;
    try {
      while (true) {
        memory += 8;
        driver.set("memory", memory);
        try {
          TrainingFactors.open(device, adapter).close();
          break;
        } catch (CudaException e) {
          assertThat(e).hasMessageStartingWith("too little GPU memory: ");
          assertThat(driver.allocations()).as("with %d bytes", memory).isZero();
          failures++;
        }
      }
    } finally {
      driver.set("memory", 4L << 30);
    }
    assertThat(failures).isPositive();
  }
}
